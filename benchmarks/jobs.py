"""Whole jobs: cores, overhead, memory, passes, a cluster, kills; and a plain script beside them.

Payload source, palette answers, ``--method plurality --smoothing 0``, no report, unless said. Every
run is a fresh process, timed from its start to its end by the clock: that is what a user waits for.
Run it with ``python -m benchmarks.jobs [--quick]`` on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness import report, verdict
from benchmarks.payloads import payload

WORKERS, CLASSES, SIDE = 5, 8, 1024
PLAIN = ("--method", "plurality", "--smoothing", "0", "--no-report", "--quiet")
KILLS = 20


def write_job(path: Path, images: int, side: int) -> Path:
    """Write a request of this many objects, the same answers to each."""
    [one] = json.loads(payload(WORKERS, CLASSES, side, side, "palette"))
    rest = json.dumps(one).removeprefix('{"datasetObjectId": "0"')
    with path.open("w") as file:
        for number in range(images):
            file.write(f'{"," if number else "["}{{"datasetObjectId": "{number}"{rest}')
        file.write("]")
    return path


# -- one run in a process of its own


def run(
    source: Path, out: Path, *options: str, method: tuple[str, ...] = PLAIN
) -> dict[str, float]:
    """Consolidate a job; seconds by the clock, and what `timed_run` says."""
    command = [sys.executable, "-m", "benchmarks.timed_run", "run", str(source), "--out", str(out)]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, *method, *options], check=True, capture_output=True, text=True, env=environment()
    )
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **json.loads(done.stdout)}


def environment() -> dict[str, str]:
    """As a user's, with this package."""
    clean = {key: one for key, one in os.environ.items() if not key.startswith("CONSOLIDATION_")}
    return {**clean, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


# -- the plain script


def plain_seconds(source: Path, out: Path) -> float:
    """Seconds of the plain script in a process of its own."""
    out.mkdir()
    command = [sys.executable, "-m", "benchmarks.plain_script", str(source), str(out)]
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment())
    return time.perf_counter() - began


def check(ours: Path, plain: Path) -> None:
    """The plain script's masks are ours, but where votes are tied."""
    for path in plain.iterdir():
        a, b = (np.asarray(Image.open(folder / path.name)) for folder in (ours / "masks", plain))
        assert (a == b).mean() > 0.99, path


# -- a cluster, kills


@contextmanager
def cluster() -> Iterator[str | None]:
    """Address of two Dask workers of one thread; None without Dask."""
    try:
        from distributed import LocalCluster
    except ImportError:
        yield None
        return
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as one:
        yield one.scheduler_address


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run, but for the time at which it began."""
    date = rb'(creation[-_]date\\?": ?\\?"|<p>consolidation [^,]+, )[-0-9T:.]+'
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): re.sub(date, rb"\1", path.read_bytes()) for path in files
    }


def kill_and_resume(source: Path, folder: Path, kills: int, method: tuple[str, ...]) -> list[Any]:
    """Kill a run at random instants, resume it each time; a run that ends is begun anew."""
    whole = folder / "whole"
    took = run(source, whole, method=method)["seconds"]
    expected = contents(whole)
    instant = random.Random(0)
    killed, finished, same, out = 0, 0, True, folder / "out-0"
    while killed < kills or not finished:
        command = [sys.executable, "-m", "consolidation", "run", str(source), "--out", str(out)]
        # the processes' resource tracker tells what the killed one could not tidy up
        process = subprocess.Popen(
            [*command, *method], env=environment(), stderr=subprocess.DEVNULL
        )
        # in steps that are short against the whole run, beginning with its start
        wait = took * instant.uniform(0.2, 0.7) if killed < kills else None
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            continue
        assert process.returncode == 0
        same &= contents(out) == expected
        finished += 1
        out = folder / f"out-{finished}"
    return [" ".join(method[:2]), killed, finished, "yes" if same else "**no**"]


# -- all of it


def main() -> None:
    """Measure, print, write results/jobs.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small jobs: does it run at all")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        measure_all(Path(folder), quick)


def measure_all(folder: Path, quick: bool) -> None:
    """Measure in a folder."""
    images, small, few = (48, (50, 500), 8) if quick else (1000, (1000, 10000), 60)
    rounds = 1 if quick else 3
    job = write_job(folder / "job.json", images, SIDE)
    job.read_bytes()  # once, for everybody
    outs = (folder / f"out-{number}" for number in range(1000))
    run(write_job(folder / "warm.json", 20, 64), next(outs))  # kernels are compiled once

    def rate(found: Mapping[str, float]) -> float:
        return images / found["seconds"]

    weighted = ("--method", "weighted", *PLAIN[2:])
    cases: dict[str, list[dict[str, float]]] = {}
    ours = folder / "out-0"
    with cluster() as scheduler:
        ways = {
            "one process": (PLAIN, ("--jobs", "1")),
            "two processes": (PLAIN, ("--jobs", "2")),
            "two passes (weighted), one process": (weighted, ("--jobs", "1")),
        }
        if scheduler:
            dask = ("--backend", "dask", "--scheduler", scheduler)
            ways["Dask, two workers"] = (PLAIN, dask)
        for _ in range(rounds):
            for name, (method, options) in ways.items():
                ours = next(outs)
                cases.setdefault(name, []).append(run(job, ours, *options, method=method))
    middle = {
        name: sorted(found, key=lambda one: one["seconds"])[len(found) // 2]
        for name, found in cases.items()
    }
    one, two = middle["one process"], middle["two processes"]
    overhead, around = (
        statistics.median(one["seconds"] / one[part] for one in cases["one process"])
        for part in ("own", "image")
    )
    passes = [one["seconds"] / (one["seconds"] - one["first"]) for one in cases[list(ways)[2]]]

    part = write_job(folder / "part.json", few, SIDE)
    plain = plain_seconds(part, folder / "plain") / few
    ours = next(outs)
    run(part, ours, "--ties", "lowest")
    check(ours, folder / "plain")
    peaks = [
        run(write_job(folder / f"{n}.json", n, 48), next(outs), "--jobs", "1")["peak"]
        for n in small
    ]
    kills = []
    for method in (PLAIN, ("--method", "auto", "--quiet")):
        place = folder / method[1]
        place.mkdir()
        source = write_job(place / "job.json", 30 if quick else 60, 256)
        kills.append(kill_and_resume(source, place, 3 if quick else KILLS, method))

    targets = [
        verdict("two processes / one, speed", rate(two) / rate(one), 1.7, False),
        verdict("one process / the pipeline's own time", overhead, 1.15, True),
        ["the same, agreement and regions of an image counted too", around, "reported", ""],
        verdict("plain script / one process, time", plain / (one["seconds"] / images), 10, False),
        verdict(f"peak memory, {small[1]:,} / {small[0]:,} images", peaks[1] / peaks[0], 1.1, True),
        verdict("two passes / the second alone", statistics.median(passes), 2, True),
    ]
    speeds = [
        [name, rate(found), found["seconds"], found["peak"] / 1e6] for name, found in middle.items()
    ]
    speeds.append(["plain script, one process", 1 / plain, plain * images, None])
    if "Dask, two workers" in middle:
        ratio = middle["Dask, two workers"]["seconds"] / two["seconds"]
        targets.append(["Dask, two workers / two processes, time", ratio, "reported", ""])
    report(
        "jobs",
        {
            "Targets": (["figure", "measured", "target", "reached"], targets),
            f"{images:,} images {SIDE} x {SIDE}, {WORKERS} workers": (
                ["way", "images a second", "seconds", "MB at most, this process"],
                speeds,
            ),
            "Memory, images 48 x 48, one process": (
                ["images", "MB at most"],
                [[f"{n:,}", peak / 1e6] for n, peak in zip(small, peaks, strict=True)],
            ),
            "Killed at random instants and resumed": (
                ["method", "kills", "runs finished", "same bytes as uninterrupted"],
                kills,
            ),
        },
    )


if __name__ == "__main__":
    main()

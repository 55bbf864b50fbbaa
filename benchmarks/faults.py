"""What bad input and faults do: how each ended, what was lost, what it cost in memory.

``python -m benchmarks.faults [--fuzz-seconds N]``; without atheris or moto their tables are empty.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.harness import peak_memory, report
from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError, ObjectError
from consolidation.formats.groundtruth import Annotation, AnnotationAnswer
from consolidation.objects.prepare import LabeledObject
from consolidation.storage import s3
from tests import fault_proxy, s3_server, test_faults, tiny_png, value_cases, value_hunt, wire
from tests.test_fault_injection import OPTIONS, entries, results

SEEDS = 20
HUNTED = 1000
"""Sources and truths drawn by chance."""
KILLS = 12
SIDE = 6000
BASE = 64_000_000
"""Bytes that strips of pixels, and what is loaded when it is needed first, may take."""


def bad_inputs() -> list[list[Any]]:
    """Every bad answer of the tests beside two good ones, and alone."""
    rows = []
    for name in test_faults.NAMES["illegal"]:
        ended: Counter[str] = Counter()
        for seed in range(SEEDS):
            for workers in (1, 3):
                first, *others = test_faults.masks_of(seed, workers)
                good = [test_faults.sent(test_faults.indexed(one)) for one in others]
                ended[_ending(test_faults.illegal(first)[name].answer, good, others)] += 1
        rows.append([name, 2 * SEEDS, *(ended[one] for one in ENDINGS)])
    return rows


ENDINGS = ("dropped, said", "pixels ignored, said", "object failed, said", "wrong in silence")


def _ending(answer: Any, good: list[Any], others: list[Any]) -> str:
    try:
        result = test_faults.consolidated([answer, *good])
    except ObjectError:
        return ENDINGS[2]
    if any(one.dropped for one in result.warnings):
        right = (result.consensus.labels == test_faults.vote(others)).all()
        return ENDINGS[0] if right else ENDINGS[3]
    return ENDINGS[1] if result.warnings else ENDINGS[3]


def inputs(folder: Path) -> list[list[Any]]:
    """What people point the engine at, what must come of it, and the doors that say otherwise."""
    rows: list[list[Any]] = []
    for number, case in enumerate(value_cases.cases()):
        kind, _, reason = case.expected.partition(": ")
        others = []
        for door in value_cases.DOORS:
            if case.truth == "*" and door in ("evaluate", "calibrate"):
                continue
            found = value_cases.outcome(case, door, folder / f"{number}-{door}")
            if not case.agrees(door, found):
                others.append(f"{door}: {found}")
        said = " ".join(f"--{key.replace('_', '-')} {one}" for key, one in case.options.items())
        rows.append([case.name, case.listed, said, kind, reason, "; ".join(others) or "none"])
    return rows


def hunt(folder: Path) -> list[list[Any]]:
    """Sources and truths whose masks, values and class lists are drawn by chance."""
    rows = []
    for name, draw in (("folder", value_hunt.hunt_source), ("truth", value_hunt.hunt_truth)):
        ended = Counter(draw(seed, folder / f"{name}-{seed}") for seed in range(HUNTED))
        rows.append([f"{name} and class list", HUNTED, *(ended[one] for one in value_hunt.ENDINGS)])
    return rows


@contextmanager
def _behind_proxy() -> Iterator[tuple[s3_server.Aws, fault_proxy.Proxy]]:
    with s3_server.serve() as aws, fault_proxy.serve(aws.url) as proxy:
        environment = {**aws.environment(), "AWS_ENDPOINT_URL": proxy.url}
        quick = mock.patch("botocore.endpoint.time.sleep", lambda _: None)
        with mock.patch.dict(os.environ, environment), quick:
            s3._default_client.cache_clear()
            yield aws, proxy
            s3._default_client.cache_clear()


def s3_faults() -> list[list[Any]]:
    """Every request of a run fails once; then all writes fail for good, and the run is repeated."""
    rows: list[list[Any]] = []
    with _behind_proxy() as (aws, proxy):
        client = aws.client("s3")
        client.create_bucket(Bucket="faults")
        client.put_object(Bucket="faults", Key="r.json", Body=json.dumps(entries(6)).encode())
        run_job("s3://faults/r.json", "s3://faults/good", OPTIONS)
        good = results(aws.keys("faults", "good/"))
        for fault in fault_proxy.FAULTS:
            for lasting in (False, True):
                if lasting and fault in ("slow", "cut"):
                    continue
                out = f"{fault}-{lasting}"
                proxy.seen.clear()
                proxy.done.clear()
                proxy.plan = _plan(fault, lasting)
                said = _run("s3://faults/r.json", f"s3://faults/{out}")
                proxy.plan = lambda *_: None
                again = _run("s3://faults/r.json", f"s3://faults/{out}") if said else ""
                found = results(aws.keys("faults", f"{out}/"))
                found = {k: v.replace(f"/{out}/".encode(), b"/good/") for k, v in found.items()}
                lost = sum(found.get(name) != data for name, data in good.items())
                kind = "for good, then the same command again" if lasting else "once a request"
                rows.append([f"S3 {fault}, {kind}", proxy.done[fault], said or again, lost])
    return rows


def _plan(fault: str, lasting: bool) -> fault_proxy.Plan:
    if lasting:
        writes = iter(range(10**6))
        return lambda method, path, number: fault if method == "PUT" and next(writes) > 8 else None
    return lambda method, path, number: fault if number == 0 else None


def _run(source: Any, out: Any) -> str:
    """Run; the message of a run that ended early."""
    try:
        run_job(source, out, OPTIONS)
    except ConsolidationError as error:
        return " ".join(str(error).split()[:2]) + " ..."
    return ""


def disk_faults(folder: Path) -> list[list[Any]]:
    """Every write of a run in turn finds the disk full; then the same command again."""
    request = wire.write_json(folder / "r.json", entries(6))
    run_job(request, folder / "good", OPTIONS)
    good = _tree(folder / "good")
    replace = Path.replace
    lost = injected = 0
    said = ""
    for after in range(10**6):
        writes = iter(range(10**6))

        def failing(self: Path, target: Any, writes: Any = writes, after: int = after) -> Path:
            if next(writes) == after:
                raise OSError(28, "No space left on device")
            return replace(self, target)

        with mock.patch.object(Path, "replace", failing):
            found = _run(request, folder / f"full-{after}")
        if not found:
            break
        said, injected = found, injected + 1
        run_job(request, folder / f"full-{after}", OPTIONS)
        lost += _tree(folder / f"full-{after}") != good
    return [["disk full at each write in turn, then the same command again", injected, said, lost]]


def kills(folder: Path) -> list[list[Any]]:
    """SIGKILL of a run at a random time, then the same command again."""
    request = wire.write_json(folder / "many.json", entries(300))
    command = [sys.executable, "-m", "consolidation", "run", str(request), "--quiet"]
    command += ["--method", "plurality", "--jobs", "2", "--out"]
    subprocess.run([*command, str(folder / "first")], check=True)  # compiles
    started = time.perf_counter()
    subprocess.run([*command, str(folder / "whole")], check=True)
    seconds = time.perf_counter() - started
    whole = _tree(folder / "whole")
    rng = random.Random(0)
    killed = lost = 0
    for place in range(KILLS):
        out = folder / f"killed-{place}"
        process = subprocess.Popen([*command, str(out)], start_new_session=True)
        time.sleep(rng.uniform(0.2, 1) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        subprocess.run([*command, str(out)], check=True)
        found = _tree(out)
        lost += sum(found.get(name) != data for name, data in whole.items())
    return [["SIGKILL of all its processes, then the same command again", killed, "", lost]]


def _tree(folder: Path) -> dict[str, bytes]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    return results({one.relative_to(folder).as_posix(): one.read_bytes() for one in files})


_DECODE = """
from consolidation.masks import decode
from tests.test_limits import bomb
from tests import tiny_png
decode(bomb(4, 4, tiny_png.{kind}))
{then}
"""


_OBJECT = """
import numpy as np
from benchmarks.faults import noise
from consolidation.masks import Classes
from consolidation.options import Options
from consolidation.objects.pipeline import consolidate_object

def work(obj):
    result = consolidate_object(obj, Classes.of_labels(["cat", "dog"]), Options(method="{method}"))
    return result.mask_png, result.confidence_png()

work(noise(64, {colors}))
obj = noise({side}, {colors})
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # making the answers is not what is measured
{then}
"""
NOISY = 3000


def noise(side: int, colors: bool) -> LabeledObject:
    """Object on which three workers agree by chance only: the most work there can be."""
    rng = np.random.default_rng(0)
    answers = []
    for worker in "abc":
        mask = rng.integers(0, 3, (side, side), np.uint8)
        png = wire.picture(mask, [wire.GREEN, wire.BLUE])
        if colors:
            png = tiny_png.write(test_faults.rgba(mask), tiny_png.RGBA)
        content = json.dumps(wire.picture_content(png))
        answers.append((worker, AnnotationAnswer(Annotation(worker, content=content))))
    return LabeledObject("0", {}, answers)


def memory() -> list[list[Any]]:
    """Peaks above those of a process that does the same to something small."""
    rows = []
    for kind, bytes_a_pixel in (("GREY", 3), ("PALETTE", 3), ("RGB", 11), ("RGBA", 12)):
        make = f"png = bomb({SIDE}, {SIDE}, tiny_png.{kind})"
        idle = peak_memory(_DECODE.format(kind=kind, then=make))
        peak = peak_memory(_DECODE.format(kind=kind, then=f"{make}\ndecode(png)"))
        bound = bytes_a_pixel * SIDE * SIDE + BASE
        rows.append(_within(f"decoding {kind}, {SIDE} x {SIDE}", peak - idle, bound))
    threads = min(3, os.cpu_count() or 1)
    for colors in (False, True):
        for method in ("plurality", "auto", "dawid-skene"):
            code = _OBJECT.replace("{method}", method).replace("{colors}", str(colors))
            code = code.replace("{side}", str(NOISY))
            idle, peak = (peak_memory(code.replace("{then}", then)) for then in ("", "work(obj)"))
            bound = (3 + max(16, (9 if colors else 3) * threads)) * NOISY**2 + BASE
            kind = "RGBA" if colors else "PALETTE"
            name = f"object of 3 answers of noise, {kind}, {NOISY} x {NOISY}, {method}"
            rows.append(_within(name, peak - idle, bound))
    return rows


def _within(name: str, taken: float, bound: float) -> list[Any]:
    return [name, taken / 1e6, bound / 1e6, "yes" if taken <= bound else "**no**"]


def fuzz(seconds: int, folder: Path) -> list[list[Any]]:
    """Coverage-guided fuzzing of each target."""
    if find_spec("atheris") is None or seconds == 0:
        return []
    summary = folder / "fuzz.json"
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(seconds), "--summary"]
    subprocess.run([*command, str(summary)], check=False, stdout=sys.stderr)
    found = json.loads(summary.read_bytes())
    return [[name, *(one[key] for key in FUZZED)] for name, one in found.items()]


FUZZED = ("seconds", "executions", "coverage", "findings")


def main() -> None:
    """Do all of it and write the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fuzz-seconds", type=int, default=60)
    given = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        faults = disk_faults(folder) + kills(folder)
        faults += s3_faults() if find_spec("moto") else []
        sections = {
            "bad answers": (["what", "tried", *ENDINGS], bad_inputs()),
            "inputs": (
                ["masks", "class list", "options", "expected", "because", "doors that differ"],
                inputs(folder / "inputs"),
            ),
            "sources drawn by chance": (
                ["what", "tried", *value_hunt.ENDINGS],
                hunt(folder / "hunt"),
            ),
            "faults": (["what", "times", "what the run said", "files lost or wrong"], faults),
            "memory, MB": (["picture", "taken", "bound", "within"], memory()),
            "fuzzing": (["target", *FUZZED], fuzz(given.fuzz_seconds, folder)),
        }
    report("faults", sections)


if __name__ == "__main__":
    main()

"""CPU time: smoothing against scipy, Dawid-Skene against STAPLE and crowd-kit, auto over a job."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.accuracy_peers import answers, multi_label_staple
from benchmarks.harness import measure, verdict
from benchmarks.workloads import masks
from consolidation import consolidate
from consolidation.commands.run import run_job
from consolidation.consensus.auto import SAMPLE
from consolidation.options import Options
from consolidation.simulation.simulate import simulate_job

SIDE, WORKERS, CLASSES = 1024, 5, 8


def smoothed_by_scipy(stack: NDArray[np.uint8], n_classes: int) -> NDArray[Any]:
    """Votes of each class blurred with the engine's window (5 x 5 for sigma 1), the best class."""
    scores = [
        gaussian_filter(
            (stack == label).sum(axis=0, dtype=np.uint8).astype(np.float32),
            sigma=1,
            truncate=2,
            mode="constant",
        )
        for label in range(n_classes)
    ]
    return np.argmax(scores, axis=0)


def smoothing_times() -> tuple[list[list[Any]], list[list[Any]]]:
    """Rows of times and of targets, on all of the image and where a quarter of it is disputed."""
    rows, targets = [], []
    whole = masks(WORKERS, CLASSES, SIDE, SIDE)
    part = whole.copy()
    part[:, SIDE // 4 :] = part[0, SIDE // 4 :]
    for name, stack in (("all of the image", whole), ("its upper quarter", part)):
        result = consolidate(stack, smoothing=1.0, ties="neighbours")
        disputed = result.disputed
        same = (result.labels == smoothed_by_scipy(stack, CLASSES))[disputed].mean()
        times = measure(
            {
                "ours": lambda stack=stack: consolidate(stack, smoothing=1.0, ties="neighbours"),
                "scipy": lambda stack=stack: smoothed_by_scipy(stack, CLASSES),
                "plain vote": lambda stack=stack: consolidate(stack),
            }
        )
        ratio = times["scipy"] / times["ours"]
        rows.append([name, float(disputed.mean()), *times.values(), ratio, float(same)])
        targets.append(verdict(f"scipy / smoothing, disputes in {name}", ratio, 4, False))
    return rows, targets


def dawid_skene_times() -> tuple[list[list[Any]], list[list[Any]]]:
    """Rows of times and of targets; none where a peer is missing.

    Peers iterate (crowd-kit ten times, MultiLabelSTAPLE until it converges) where one step is the
    default here, so ten steps are timed beside it.
    """
    rows: list[list[Any]] = []
    targets: list[list[Any]] = []

    def compare(n_classes: int, peer: str, way: Callable[[], Any], target: float) -> None:
        stack = masks(WORKERS, n_classes, SIDE, SIDE)
        times = measure(
            {
                "ours": lambda: consolidate(stack, method="dawid-skene"),
                "ten steps": lambda: consolidate(stack, method="dawid-skene", steps=10),
                peer: way,
            }
        )
        ratio = times[peer] / times["ours"]
        rows.append([n_classes, peer, *times.values(), ratio])
        targets.append(verdict(f"{peer} / dawid-skene, K = {n_classes}", ratio, target, False))

    try:
        import SimpleITK

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        many = masks(WORKERS, CLASSES, SIDE, SIDE)
        compare(CLASSES, "MultiLabelSTAPLE", lambda: multi_label_staple(many), 40)
    except ImportError:
        pass
    try:
        from crowdkit.aggregation import SegmentationEM

        two = answers(masks(WORKERS, 2, SIDE, SIDE))
        compare(2, "crowd-kit EM", lambda: SegmentationEM().fit_predict(two), 300)
    except ImportError:
        pass
    return rows, targets


def job_times(images: int, rounds: int = 3) -> tuple[list[list[Any]], list[list[Any]]]:
    """A whole run over a job of small images, answers decoded from PNG, results written.

    The least of `rounds` runs each, in turn; a small job before, for the compiler.
    """
    ways = {
        # one process, whose time is taken; a report would tell how workers agree in both
        name: Options(method=name, jobs=1, report=False)
        for name in ("plurality", "auto")
    }
    best = dict.fromkeys(ways, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        small = simulate_job(Path(folder, "small"), images=12, size=(128, 160))
        job = simulate_job(Path(folder, "job"), images=images, size=(128, 160), workers=5)
        for options in ways.values():
            run_job(small.requests, Path(folder, "small-out"), options, restart=True)
        for _ in range(rounds):
            for name, options in ways.items():
                start = time.process_time()
                run_job(job.requests, Path(folder, name), options, restart=True)
                best[name] = min(best[name], time.process_time() - start)
        told = json.loads(Path(folder, "auto", "provenance.json").read_bytes())
    asked = told["auto"]["images"]
    rows = [
        ["plurality, smoothing 1", images, 0, best["plurality"], 1.0],
        ["auto", images, asked, best["auto"], best["auto"] / best["plurality"]],
    ]
    figure = f"auto / plurality with smoothing, job of {images} images"
    targets = [
        verdict(figure, best["auto"] / best["plurality"], 1.7, True),
        verdict(f"images asked of {images}", asked, min(SAMPLE, images), False),
    ]
    return rows, targets

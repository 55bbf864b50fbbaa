"""Thin and tiny things: the default consensus against plain plurality.

Run it with ``python -m benchmarks.thin`` (``--quick`` for two seeds; ``--data`` is the folder of
multi-annotator masks). Simulated lines and dots are scored against truth, real sets as in
`benchmarks.accuracy`. A difference is in mIoU, to plurality with ties to the lowest class and no
smoothing; with an even number of workers part of it is the rule for ties.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import DATA
from benchmarks.accuracy_scores import Scores
from benchmarks.accuracy_sets import SETS, drawn, load
from benchmarks.harness import report, verdict
from benchmarks.thin_scenes import HANDS, SCENES
from consolidation import consolidate
from consolidation.evaluation.scores import mean_iou

WIDTHS = {**dict.fromkeys(SCENES, (1, 2, 3, 5)), "dots": (0, 5)}
"""Pixels; dots of width 0 are crosses of 5 pixels."""
WORKERS = (3, 4, 5)
LEAST = -0.003
DIGITS = 4
Rows = list[list[Any]]
BASE, SMOOTHED = "plurality", "smoothed"


def predictions(masks: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Labels by plurality, and as one image is decided by default."""
    return {
        BASE: consolidate(masks).labels,
        SMOOTHED: consolidate(masks, smoothing=1.0, ties="neighbours").labels,
    }


def simulated(seeds: int) -> tuple[Rows, Rows]:
    """Rows of differences by scene, width and hand; rows of targets."""
    rows: Rows = []
    by_width: dict[tuple[int, str], list[float]] = defaultdict(list)
    for n_workers in WORKERS:
        for name, scene in SCENES.items():
            for width in WIDTHS[name]:
                differences: dict[str, list[float]] = {hand: [] for hand in HANDS}
                base = []
                for seed in range(seeds):
                    picture = scene(np.random.default_rng([seed, n_workers, width]), width)
                    for number, (hand, paint) in enumerate(HANDS.items()):
                        rng = np.random.default_rng([seed, n_workers, width, number])
                        masks = np.stack([paint(picture, rng) for _ in range(n_workers)])
                        plain, smoothed = (
                            mean_iou(labels, picture.truth)
                            for labels in predictions(masks).values()
                        )
                        differences[hand].append(smoothed - plain)
                        base.append(plain)
                means = [float(np.mean(values)) for values in differences.values()]
                worst = min(min(values) for values in differences.values())
                rows.append(
                    [
                        n_workers,
                        name,
                        width,
                        round(float(np.mean(base)), DIGITS),
                        *(round(mean, DIGITS) + 0.0 for mean in means),
                        round(worst, DIGITS),
                    ]
                )
                kind = "dots" if name == "dots" else f"lines and gaps of {width} px"
                by_width[n_workers, kind] += means
    targets = [
        verdict(
            f"{kind}, W = {n_workers}, mean", round(float(np.mean(means)), DIGITS), LEAST, False
        )
        for (n_workers, kind), means in by_width.items()
        if n_workers % 2
    ]
    odd = [row[4 : 4 + len(HANDS)] for row in rows if row[0] % 2]
    low = sum(value < LEAST for row in odd for value in row)
    cases = sum(len(row) for row in odd)
    targets.append(verdict(f"cases of {cases} below {LEAST}, W odd", low, 0, True))
    targets.append(verdict("lowest case, W odd", min(map(min, odd)), LEAST, False))
    return rows, targets


def real(data: Path) -> Rows:
    """Rows of the real sets: held-out workers, and truth where there is one."""
    rows: Rows = []

    def add(name: str, scores: Scores) -> None:
        found = scores.difference(SMOOTHED, BASE)
        numbers = (scores.mean(BASE), found.mean, found.error)
        rows.append([name, *(round(number, DIGITS + 1) for number in numbers), found.images])

    for name in SETS:
        job = load(data / "masks" / name)
        if job is None:
            rows.append([name, None, None, None, 0])
            continue
        scores = Scores()
        for image in job.images:
            for worker, judge in zip(image.workers, image.masks, strict=True):
                rest = image.without(worker)
                if rest.workers:
                    for method, labels in predictions(rest.masks).items():
                        scores.add(method, image.name, worker, labels, judge)
        add(f"{name}, each worker of an image held out", scores)
        if job.images[0].truth is None:
            continue
        for votes, seeds in ((3, 3), (5, 3), (7, 1)):
            scores = Scores()
            for seed in range(seeds):
                for image in drawn(job, votes, seed).images:
                    for method, labels in predictions(image.masks).items():
                        scores.add(method, image.name, str(seed), labels, image.truth)
            add(f"{name}, truth, W = {votes}", scores)
    return rows


def main() -> None:
    """Measure, print, write results/thin.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that has masks/")
    parser.add_argument("--quick", action="store_true", help="two seeds, no real sets")
    arguments = parser.parse_args()
    seeds = 2 if arguments.quick else 10
    rows, targets = simulated(seeds)
    tables = {
        "Targets": (["figure", "measured", "target", "reached"], targets),
        f"Smoothing 1, ties by neighbours, minus plurality: mean of {seeds} seeds by hand": (
            ["W", "scene", "width", "mIoU, plurality", *HANDS, "lowest seed"],
            rows,
        ),
    }
    if not arguments.quick:
        columns = ["set", "mIoU, plurality", "minus plurality", "s.e.", "images"]
        tables["Real sets, smoothing 1, ties by neighbours"] = (columns, real(arguments.data))
    report("thin", tables)


if __name__ == "__main__":
    main()

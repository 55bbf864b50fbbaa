"""Masks from four points against what else makes them, what clicks do, and what it all costs.

Run it with ``python -m benchmarks.autosegment [--quick] [--data DIR]``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.autosegment_peers import PEERS
from benchmarks.autosegment_sets import (
    Object,
    cells,
    extreme_points,
    iou,
    next_click,
    photographs,
    scenes,
)
from benchmarks.harness import report, verdict
from consolidation.autosegment import ALTERNATIVES, Cache, segment

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SIGMA = 2.0
CLICKS = 4
SEED = 2026
"""Of scenes that nothing was tuned on."""


def accuracy(items: list[Object]) -> tuple[list[list[Any]], dict[str, np.ndarray]]:
    """IoU of every way, with exact points."""
    scores: dict[str, list[float]] = {name: [] for name in (*ALTERNATIVES, "best of four", *PEERS)}
    times: dict[str, list[float]] = {name: [] for name in ("vote", *PEERS)}
    for item in items:
        points = extreme_points(item.truth)
        start = time.process_time()
        found = segment(item.image, points)
        times["vote"].append(time.process_time() - start)
        ious = {name: iou(found.alternatives[name].mask, item.truth) for name in ALTERNATIVES}
        for name, value in ious.items():
            scores[name].append(value)
        scores["best of four"].append(max(ious.values()))
        for name, peer in PEERS.items():
            start = time.process_time()
            mask = peer(item, points)
            times[name].append(time.process_time() - start)
            scores[name].append(iou(mask, item.truth))
    arrays = {name: np.array(values) for name, values in scores.items()}
    rows = []
    for name, values in arrays.items():
        ahead = arrays["vote"] - values
        error = float(ahead.std(ddof=1) / np.sqrt(len(ahead))) if name != "vote" else 0.0
        cpu = float(np.median(times[name]) * 1e3) if name in times else None
        share = float(np.mean(values >= 0.85))
        rows.append([name, float(values.mean()), float(ahead.mean()), error, share, cpu])
    return rows, arrays


def off_by_two(items: list[Object], repeats: int = 3) -> float:
    """Mean IoU with points off by `SIGMA` pixels."""
    rng = np.random.default_rng(SEED)
    scores = []
    for item in items:
        last = np.array(item.truth.shape[::-1]) - 1
        for _ in range(repeats):
            moved = np.array(extreme_points(item.truth)) + rng.normal(0, SIGMA, (4, 2))
            mask = segment(item.image, moved.clip(0, last)).mask
            scores.append(iou(mask, item.truth))
    return float(np.mean(scores))


def corrections(items: list[Object], choose: bool) -> tuple[list[float], list[float]]:
    """Mean IoU after 0 to `CLICKS` clicks, and seconds of each.

    The alternative is the vote always, or (`choose`) the best of the four before the first click,
    as a worker who looks at them picks it.
    """
    scores, seconds = [], []
    for item in items:
        cache, points, clicks = Cache(), extreme_points(item.truth), []
        found = segment(item.image, points, cache=cache)
        name = "vote"
        if choose:
            others = found.alternatives
            name = max(ALTERNATIVES, key=lambda key: iou(others[key].mask, item.truth))
            found = others[name]
        row = [iou(found.mask, item.truth)]
        for _ in range(CLICKS):
            if (found.mask != item.truth).any():
                clicks.append(next_click(found.mask, item.truth))
            start = time.process_time()
            found = segment(item.image, points, clicks, alternative=name, cache=cache)
            seconds.append(time.process_time() - start)
            row.append(iou(found.mask, item.truth))
        scores.append(row)
    return np.mean(scores, axis=0).tolist(), seconds


def costs(count: int) -> list[list[Any]]:
    """CPU of objects of about 1,000 pixels, and of the first one in 12 megapixels."""
    cached, fresh, first = [], [], []
    for item in scenes(count, SEED + 1):
        image = np.kron(item.image, np.ones((4, 4, 1), np.uint8))
        points = [(4 * x + 2, 4 * y + 2) for x, y in extreme_points(item.truth)]
        cache = Cache()
        start = time.process_time()
        segment(image, points, cache=cache)
        middle = time.process_time()
        cache._kept = type(cache._kept)(list(cache._kept.items())[:1])
        begin = time.process_time()
        segment(image, points, cache=cache)
        fresh.append(middle - start)
        cached.append(time.process_time() - begin)
        large = np.zeros((3000, 4000, 3), np.uint8)
        large[1000 : 1000 + image.shape[0], 1500 : 1500 + image.shape[1]] = image
        start = time.process_time()
        segment(large, [(x + 1500, y + 1000) for x, y in points])
        first.append(time.process_time() - start)
    return [
        [name, *(float(np.percentile(values, q) * 1e3) for q in (50, 95))]
        for name, values in (
            ("object of about 1,000 pixels, features cached", cached),
            ("the same, nothing cached", fresh),
            ("the same in 12 megapixels, first object", first),
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a fifth of the objects; every second otherwise"
    )
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the public masks")
    given = parser.parse_args()
    step = 5 if given.quick else 2
    # skimage tells of a faster solver that it does without
    warnings.filterwarnings("ignore", category=UserWarning, module="skimage")
    sets = {
        "cells (bubil_crowd)": cells(given.data, step),
        "photographs (skimage, outlined by eye)": photographs(),
        "simulated scenes": scenes(100 // step, SEED),
    }
    sections: dict[str, tuple[list[str], list[list[Any]]]] = {}
    verdicts: list[list[Any]] = []
    clicked: list[list[Any]] = []
    for name, items in sets.items():
        if not items:
            print(f"{name}: not there")
            continue
        segment(items[0].image, extreme_points(items[0].truth), [(1, 1, True)])
        rows, scores = accuracy(items)
        columns = ["way", "mean IoU", "vote ahead by", "s.e.", ">= .85", "CPU ms"]
        sections[f"{name}, n = {len(items)}"] = columns, rows
        worst = min(row[2] + row[3] for row in rows if row[0] in PEERS)
        verdicts.append(verdict(f"{name}: ahead of every peer, + s.e.", worst, 0, False))
        loss = float(scores["vote"].mean()) - off_by_two(items)
        verdicts.append(verdict(f"{name}: loss by points off by 2 px", loss, 0.03, True))
        for rule, choose in (("vote", False), ("best of four at first", True)):
            means, seconds = corrections(items, choose)
            median, late = np.percentile(seconds, [50, 95]) * 1e3
            clicked.append([f"{name}, {rule}", *means, float(median), float(late)])
            least = float(np.diff(means).min())
            verdicts.append(verdict(f"{name}, {rule}: least gain of a click", least, 0, False))
            if name.startswith("cells"):
                verdicts.append(verdict(f"{name}, {rule}: two clicks", means[2], 0.75, False))
    columns = ["clicks", *map(str, range(CLICKS + 1)), "CPU ms a click", "95 %"]
    sections["After simulated clicks in the middle of the largest error"] = columns, clicked
    rows = costs(40 // step)
    sections["CPU ms"] = ["what", "median", "95 %"], rows
    verdicts.append(verdict("features cached, median ms", rows[0][1], 25, True))
    verdicts.append(verdict("features cached, p95 ms", rows[0][2], 60, True))
    verdicts.append(verdict("12 megapixels, first object, p95 ms", rows[2][2], 150, True))
    sections["Targets"] = ["figure", "measured", "wanted", "reached"], verdicts
    report("autosegment", sections)


if __name__ == "__main__":
    main()

"""Where workers disagree: connected disputed regions, who gave which class, and why in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.stack import Stack
from consolidation.kernels import regions as kernels

MIN_AREA = 64
"""Pixels of the smallest region that is told: 8 x 8."""
MOST = 50
"""Regions told of one image; the largest are."""


@dataclass(frozen=True)
class Region:
    """Disputed pixels that touch each other, at an edge or a corner.

    Corners count because a dispute is often a border one pixel wide.

    Attributes
    ----------
    top, left, height, width : int
        Its box, in pixels.
    area : int
        Disputed pixels.
    shares : tuple of (int, float)
        Classes in conflict and their share of the votes in it, highest first, then lowest class.
    chosen : int or None
        The class that most of it has in the consensus; None where it is undecided everywhere.
    workers : tuple of (int, tuple of str)
        Classes, in the order of `shares`, and the workers who gave them most of it, or more of it
        than any other class. Workers who labelled none of it are in no class.
    """

    top: int
    left: int
    height: int
    width: int
    area: int
    shares: tuple[tuple[int, float], ...]
    chosen: int | None
    workers: tuple[tuple[int, tuple[str, ...]], ...]

    def reason(self, names: Sequence[str]) -> str:
        """Why it is disputed, in words; names (K,) of the classes.

        Examples
        --------
        >>> region = Region(0, 0, 8, 8, 64, ((1, 0.6), (0, 0.4)), 1,
        ...                 ((1, ("ann", "bob", "cid")), (0, ("dan", "eve"))))
        >>> region.reason(["background", "road"])
        '3 workers see road (ann, bob, cid), 2 see background (dan, eve)'
        """
        if len(self.workers) < 2:
            (main, who), *_ = self.workers
            others = " and ".join(names[label] for label, _ in self.shares if label != main)
            count = f"all {len(who)} workers" if len(who) > 1 else f"{who[0]}"
            return f"{count} see mostly {names[main]}, with another border to {others}"
        parts: list[str] = []
        for label, who in self.workers:
            verb = "sees" if len(who) == 1 else "see"
            noun = "" if parts else (" worker" if len(who) == 1 else " workers")
            parts.append(f"{len(who)}{noun} {verb} {names[label]} ({', '.join(who)})")
        return ", ".join(parts)

    def as_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """JSON-ready, with names (K,) of the classes."""
        return {
            "box": {
                "left": self.left,
                "top": self.top,
                "width": self.width,
                "height": self.height,
            },
            "area": self.area,
            "consensus": None if self.chosen is None else names[self.chosen],
            "shares": {names[label]: round(share, 4) for label, share in self.shares},
            "workers": {names[label]: list(who) for label, who in self.workers},
            "reason": self.reason(names),
        }


def find_regions(
    disputed: NDArray[np.bool_],
    stack: Stack,
    labels: NDArray[Any],
    workers: Sequence[str],
    n_classes: int,
    min_area: int = MIN_AREA,
    most: int = MOST,
) -> list[Region]:
    """Regions of `disputed` (H, Wd) of `min_area` pixels or more, at most `most` of them.

    Largest first, then in reading order of their first pixels.

    Parameters
    ----------
    stack : Stack
        Masks of those who voted, whose ids are `workers`.
    labels : ndarray of shape (H, Wd)
        The consensus; labels from `n_classes` on are undecided.
    """
    runs = runs_of(disputed.view(np.uint8))
    rows, starts, ends = runs
    region = np.empty(len(rows), np.int64)
    n = kernels.join_runs(rows, starts, ends, region)
    area, box = np.zeros(n, np.int64), np.zeros((n, 4), np.int64)
    kernels.measure(rows, starts, ends, region, area, box)
    largest = np.flatnonzero(area >= max(min_area, 1))
    largest = largest[np.argsort(-area[largest], kind="stable")][:most]
    width = stack.shape[1]
    rank_of = np.full(n, -1)
    rank_of[largest] = np.arange(len(largest))
    where = (width, *runs, rank_of[region])
    votes = np.zeros((stack.n_workers, len(largest), n_classes), np.int64)
    for mask, counts in zip(stack.rows, votes, strict=True):
        kernels.count_labels(mask, *where, stack.ignore, counts)
    chosen = np.zeros((len(largest), n_classes), np.int64)
    kernels.count_labels(labels.reshape(-1), *where, -1, chosen)
    regions = []
    # regions are many and small: lists are quicker here than arrays
    of_regions = zip(
        largest.tolist(), votes.transpose(1, 0, 2).tolist(), chosen.tolist(), strict=True
    )
    for component, votes_of, decided in of_regions:
        top, left, bottom, right = box[component].tolist()
        regions.append(
            Region(
                top=top,
                left=left,
                height=bottom - top,
                width=right - left,
                area=int(area[component]),
                **_conflict(votes_of, workers),
                chosen=decided.index(max(decided)) if any(decided) else None,
            )
        )
    return regions


def runs_of(mask: NDArray[np.uint8]) -> tuple[NDArray[np.int64], ...]:
    """Rows, starts and ends of the runs of a mask."""
    capacity = 4096
    while True:
        runs = tuple(np.empty(capacity, np.int64) for _ in range(3))
        n = kernels.find_runs(mask, *runs)
        if n <= capacity:
            return tuple(values[:n] for values in runs)
        capacity = n


def _conflict(votes: Sequence[Sequence[int]], workers: Sequence[str]) -> dict[str, Any]:
    """Shares of classes, and who stands for which: votes (W, K) in pixels."""
    total = [sum(of_class) for of_class in zip(*votes, strict=True)]
    everything = sum(total)
    present = [label for label, pixels in enumerate(total) if pixels]
    classes = sorted(present, key=lambda label: (-total[label], label))
    stands: dict[int, list[str]] = {label: [] for label in classes}
    for worker, own in zip(workers, votes, strict=True):
        most = max(own)
        if most:
            stands[own.index(most)].append(worker)
    return {
        "shares": tuple((label, total[label] / everything) for label in classes),
        "workers": tuple((label, tuple(stands[label])) for label in classes if stands[label]),
    }

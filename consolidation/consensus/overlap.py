"""Workers' masks against the consensus: pixels in both, IoU, and what that says of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.stack import Stack
from consolidation.kernels import pairs


@dataclass(frozen=True)
class WorkerAgreement:
    """How one worker's mask compares with the consensus.

    Attributes
    ----------
    worker : str
        The worker's id.
    agreement : float
        Mean IoU with the consensus, over the classes in either; NaN if there is none.
    class_iou : tuple of K floats
        IoU with the consensus for each class; NaN where the class is in neither.
    ignored : int
        Pixels where this worker's mask says nothing.
    """

    worker: str
    agreement: float
    class_iou: tuple[float, ...]
    ignored: int


def overlaps(
    stack: Stack, labels: NDArray[np.unsignedinteger], no_class: int, k: int
) -> NDArray[np.int64]:
    """(W, 3, K): pixels of each class in both masks, in worker w's, in the consensus.

    Counted where the worker labelled the pixel and the consensus is not `no_class`.
    """
    sums = np.zeros((stack.n_workers, 3, k), np.int64)
    for row, counts in zip(stack.rows, sums, strict=True):
        pairs.overlap(row, labels.reshape(-1), stack.ignore, no_class, counts)
    return sums


def overlaps_of(confusion: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same from confusion matrices (W, K, K)."""
    both = np.diagonal(confusion, axis1=1, axis2=2)
    return np.stack([both, confusion.sum(axis=2), confusion.sum(axis=1)], axis=1)


def overlap_iou(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """IoU (K,) of each class from sums (3, K) as in `overlaps`; NaN for a class in neither."""
    both, first, second = sums
    either = first + second - both
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)


def mean_of_present(iou: NDArray[np.float64]) -> float:
    """Mean IoU over the classes that are present; NaN if there is none."""
    present = iou[~np.isnan(iou)]
    return float(present.mean()) if present.size else float("nan")


def ignored_pixels(stack: Stack) -> list[int]:
    """Pixels of each worker's mask that say nothing."""
    if stack.ignore < 0:
        return [0] * stack.n_workers
    return [int(np.count_nonzero(row == stack.ignore)) for row in stack.rows]


def need_of_review(stack: Stack, sums: NDArray[np.int64], n_undecided: int) -> float:
    """See `Consensus.need_of_review`; from the overlaps of those who voted."""
    if stack.n_workers < 2:
        return 1.0
    agreements = []
    for row, (both, own, consensus) in zip(stack.rows, sums, strict=True):
        painted = own
        if n_undecided:
            # whoever painted nothing but undecided pixels does not agree fully
            areas = np.zeros((3, own.size), np.int64)
            pairs.overlap(row, row, stack.ignore, -1, areas)
            painted = areas[1]
        agreements.append(mean_of_present(overlap_iou(np.stack([both, painted, consensus]))))
    known = [value for value in agreements if not math.isnan(value)]
    return max(1.0 - math.fsum(known) / len(known), 0.0) if known else 1.0

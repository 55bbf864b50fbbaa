"""How far workers agree with each other, from vote patterns: no consensus, no truth needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.patterns import VotePatterns


@dataclass(frozen=True, eq=False)
class Agreement:
    """Agreement of the workers of one image, or of several images by the same workers.

    Attributes
    ----------
    class_counts : ndarray of shape (P, K), int64
        For each pattern, how many workers gave each class; ignored labels are in no class.
    pixels : ndarray of shape (P,), int64
        Pixels with that pattern.
    pairs : ndarray of shape (W, W, K, K), int64
        Confusion of every two workers.
    sums : AgreementSums
        What adds up over images.

    Examples
    --------
    Two workers, four pixels; they differ in one:

    >>> masks = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]], dtype=np.uint8)
    >>> agreement = Agreement.of(VotePatterns.encode(masks), n_classes=2)
    >>> agreement.iou()[0, 1].round(3).tolist()
    [0.5, 0.667]
    >>> round(agreement.fleiss_kappa(), 4), round(agreement.krippendorff_alpha(), 4)
    (0.4667, 0.5333)
    """

    class_counts: NDArray[np.int64]
    pixels: NDArray[np.int64]
    pairs: NDArray[np.int64]
    sums: AgreementSums

    @classmethod
    def of(cls, patterns: VotePatterns, n_classes: int, ignore: int = -1) -> Agreement:
        """Agreement in patterns; labels from `n_classes` on, and `ignore`, are no answers."""
        tuples = patterns.tuples
        counts = np.zeros((len(tuples), n_classes), np.int64)
        for label in range(n_classes):
            if label != ignore:
                counts[:, label] = (tuples == label).sum(axis=1)
        pairs = patterns.pairwise(n_classes)
        if 0 <= ignore < n_classes:
            pairs[:, :, ignore] = 0
            pairs[:, :, :, ignore] = 0
        sums = AgreementSums.of(patterns, n_classes, ignore)
        return cls(counts, np.asarray(patterns.counts), pairs, sums)

    def iou(self) -> NDArray[np.float64]:
        """(W, W, K) IoU of every two workers by class, where both answered; NaN without any."""
        both, first, second = self._areas()
        either = first + second - both
        return np.where(either > 0, both / np.maximum(either, 1), np.nan)

    def dice(self) -> NDArray[np.float64]:
        """(W, W, K) Dice coefficient of every two workers by class; NaN without any."""
        both, first, second = self._areas()
        total = first + second
        return np.where(total > 0, 2 * both / np.maximum(total, 1), np.nan)

    def _areas(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        both = np.diagonal(self.pairs, axis1=2, axis2=3)
        return both, self.pairs.sum(axis=3), self.pairs.sum(axis=2)

    def fleiss_kappa(self) -> float:
        """Fleiss' kappa (1971) over the pixels that every worker answered.

        1 is full agreement, 0 what chance would give; NaN where chance alone agrees fully, or
        with fewer than two workers.
        """
        n_workers = len(self.pairs)
        full = self.class_counts.sum(axis=1) == n_workers
        counts, pixels = self.class_counts[full], self.pixels[full]
        total = int(pixels.sum())
        if n_workers < 2 or total == 0:
            return float("nan")
        shares = pixels @ counts / (total * n_workers)
        same = (counts * (counts - 1)).sum(axis=1) / (n_workers * (n_workers - 1))
        observed, expected = float(pixels @ same) / total, float((shares**2).sum())
        return (observed - expected) / (1 - expected) if expected < 1 else float("nan")

    def krippendorff_alpha(self) -> float:
        """Krippendorff's alpha for nominal data (2011); workers may be missing anywhere."""
        return krippendorff_alpha([self])


@dataclass(frozen=True, eq=False)
class AgreementSums:
    """What Krippendorff's alpha needs, in integers that add up: over images, jobs and machines.

    Attributes
    ----------
    values : ndarray of shape (K,), int64
        Labels of each class, at pixels that two workers or more labelled.
    conflicts : mapping of int to int
        By number of workers who labelled a pixel, the ordered pairs of them who differ.
    """

    values: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    conflicts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, patterns: VotePatterns, n_classes: int, ignore: int = -1) -> AgreementSums:
        """Sums of patterns; labels from `n_classes` on, and `ignore`, are no answers."""
        values, conflicts = patterns.coincidences(n_classes, ignore)
        return cls(values, {m: int(n) for m, n in enumerate(conflicts.tolist()) if n})

    def __add__(self, other: AgreementSums) -> AgreementSums:
        k = max(len(self.values), len(other.values))
        values = np.zeros(k, np.int64)
        values[: len(self.values)] += self.values
        values[: len(other.values)] += other.values
        both = sorted({*self.conflicts, *other.conflicts})
        added = {m: self.conflicts.get(m, 0) + other.conflicts.get(m, 0) for m in both}
        return AgreementSums(values, added)

    def krippendorff_alpha(self) -> float:
        """Alpha for nominal data; NaN where no two classes occur.

        Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.
        """
        n = int(self.values.sum())
        # not int64: the square of a job's pixels does not fit
        expected = n * n - sum(int(value) ** 2 for value in self.values)
        if expected == 0:
            return float("nan")
        observed = math.fsum(pairs / (m - 1) for m, pairs in self.conflicts.items())
        return 1 - (n - 1) * observed / expected


def krippendorff_alpha(images: Iterable[Agreement]) -> float:
    """Alpha over several images, whatever their workers; NaN where no two classes occur."""
    return sum((image.sums for image in images), AgreementSums()).krippendorff_alpha()

"""What a job tells about each worker alone, in integers that add up."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FIXED_POINT = 1 << 16
"""Agreement of single images is kept as a multiple of 2^-16."""


class Spread(NamedTuple):
    """Agreement of one worker in the images that tell: their number, its sum and squares.

    In fixed point, of `FIXED_POINT` and its square: the order of the images changes nothing.
    """

    images: int = 0
    total: int = 0
    squares: int = 0

    @classmethod
    def of(cls, agreement: float) -> Spread:
        """Spread of one image."""
        fixed = round(agreement * FIXED_POINT)
        return cls(1, fixed, fixed * fixed)

    def plus(self, other: Spread) -> Spread:
        """Sum of both."""
        return Spread(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def error(self) -> float:
        """Standard error of the mean; NaN with fewer than two images."""
        n = self.images
        if n < 2:
            return math.nan
        # whole numbers up to here: no digits are lost in the difference
        variance = (n * self.squares - self.total**2) / (n * (n - 1) * FIXED_POINT**2)
        return math.sqrt(variance / n)


class WorkerSums(NamedTuple):
    """One worker over the images of a job."""

    images: int = 0
    agreement: Spread = Spread()
    """Agreement with the co-workers, image by image."""
    painted: Spread = Spread()
    """The same, of the images in which the worker painted anything."""
    missed: int = 0
    """Images left blank in which more than half of the others painted."""

    def plus(self, other: WorkerSums) -> WorkerSums:
        """Sum of both."""
        return WorkerSums(
            self.images + other.images,
            self.agreement.plus(other.agreement),
            self.painted.plus(other.painted),
            self.missed + other.missed,
        )

    def as_list(self) -> list[int]:
        """Eight integers, JSON-ready."""
        return [self.images, *self.agreement, *self.painted, self.missed]

    @classmethod
    def of(cls, numbers: Any) -> WorkerSums:
        """Inverse of `as_list`; ValueError if they are impossible."""
        images, *rest, missed = map(int, numbers)
        if len(rest) != 2 * len(Spread._fields):
            raise ValueError(f"{len(numbers)} sums of a worker")
        sums = cls(images, Spread(*rest[:3]), Spread(*rest[3:]), missed)
        possible = images > 0 and 0 <= missed <= images
        for spread in (sums.agreement, sums.painted):
            possible &= 0 <= spread.images <= images
            possible &= spread.images * spread.squares >= spread.total**2
        if not possible:
            raise ValueError(f"impossible sums of a worker: {list(numbers)}")
        return sums


def image_sums(agreements: NDArray[np.int64], painted: NDArray[np.bool_]) -> list[WorkerSums]:
    """Sums of one image for each of its W workers.

    Parameters
    ----------
    agreements : ndarray of shape (W, W, 3, K), int64
        As `VotePatterns.agreements` gives them.
    painted : ndarray of shape (W,), bool
        Who gave any pixel a class above 0.
    """
    others = painted.sum() - painted
    missed = ~painted & (2 * others > len(painted) - 1)
    sums = []
    for index, agreement in enumerate(image_agreement(agreements).tolist()):
        spread = Spread() if math.isnan(agreement) else Spread.of(agreement)
        own = spread if painted[index] else Spread()
        sums.append(WorkerSums(1, spread, own, int(missed[index])))
    return sums


def image_agreement(agreements: NDArray[np.int64]) -> NDArray[np.float64]:
    """Agreement (W,) of each worker of one image with the others, NaN where nothing tells.

    Parameters
    ----------
    agreements : ndarray of shape (W, W, 3, K), int64
        As `VotePatterns.agreements` gives them.
    """
    both, first, second = np.moveaxis(agreements.astype(np.float64), 2, 0)
    chance = first * second / np.maximum(first.sum(axis=2), 1)[:, :, None]
    above, room = both - chance, (first + second) / 2 - chance
    # a pair stands above the diagonal only
    shared, possible = above.sum(axis=0) + above.sum(axis=1), room.sum(axis=0) + room.sum(axis=1)
    known = possible > 1e-9
    ratio = np.where(known, shared / np.where(known, possible, 1), 0).sum(axis=1)
    classes = known.sum(axis=1)
    mean: NDArray[np.float64] = np.where(classes > 0, ratio / np.maximum(classes, 1), np.nan)
    return mean

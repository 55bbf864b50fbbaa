"""How reliable each worker is, learnt from how workers agree over a job; no truth is needed.

For two workers a, b who labelled N common pixels and a class c, let T be the pixels that both
gave c, A and B those that each gave c, and e = A B / N what chance alone would let them share.
Then (T - e) / ((A + B) / 2 - e) is Cohen's kappa (1960) of c against the rest. A worker's
agreement is, averaged over classes, the sum of the numerators over that worker's co-workers b,
each with b's weight, divided by the same sum of the denominators. Two workers who never give a
class have no chance to agree on it (0 / 0) and are no evidence for each other, so blank answers
do not vouch for blank answers.

Agreement k over n images is shrunk to the job's mean as (n k + 2 mean) / (n + 2); the next
round's weights are its fourth power. T, A, B and N add up: over images, batches, processes and
machines.

How far a worker's quality may be off is told by how much that worker's agreement differs from
image to image: the same ratio is taken of each image alone, every co-worker counting the same, and
its standard deviation over n images, divided by sqrt(n) and shrunk as the quality is, is the
standard error. n, the sum and the sum of squares add up too (integers, in fixed point).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PSEUDO_IMAGES = 2.0
"""Images of mean agreement that every worker is credited with."""
POWER = 4
"""Weight = quality to this power. On real crowds 2 to 16 differ by less than their error."""
JUNK = 0.4
"""A worker below this share of the co-workers' quality is junk. Real workers were all above .63,
stable junk (blank, blobs, noise) all below .18; the middle is .4. It takes four images of pure junk
to get there."""
TOLERANCE, MAX_ROUNDS = 1e-6, 50
FIXED_POINT = 1 << 16
"""Agreement of single images is kept as a multiple of 2^-16."""


@dataclass(frozen=True)
class Estimate:
    """Reliability of workers.

    Attributes
    ----------
    quality : dict of worker to float
        Shrunk agreement with the co-workers, 0 to 1.
    level : dict of worker to float
        Mean quality of those the worker shared images with.
    junk : frozenset of str
        Workers plainly not doing the task; never all of them.
    mean : float
        Quality of a worker nothing is known about.
    rounds : int
    converged : bool
    error : dict of worker to float
        Standard error of the quality; NaN for who shared fewer than two images that tell.
    images : dict of worker to int
        Images that the error is from.
    """

    quality: Mapping[str, float]
    level: Mapping[str, float]
    junk: frozenset[str]
    mean: float
    rounds: int
    converged: bool
    error: Mapping[str, float] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)

    def interval(self, worker: str) -> tuple[float, float]:
        """95 % interval of a worker's quality, by Student's t, within 0 to 1; NaN if unknown."""
        from scipy.special import stdtrit

        error = self.error.get(worker, math.nan)
        if math.isnan(error):
            return math.nan, math.nan
        reach = float(stdtrit(self.images[worker] - 1, 0.975)) * error
        quality = self.quality[worker]
        return max(quality - reach, 0.0), min(quality + reach, 1.0)

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) for these workers: quality to the fourth power, 0 for junk.

        If all of them are junk, they weigh the same.
        """
        quality = np.array([self.quality.get(worker, self.mean) for worker in workers])
        weights = np.maximum(quality, 1e-3) ** POWER
        weights[[worker in self.junk for worker in workers]] = 0.0
        return weights / weights.max() if weights.any() else np.ones(len(workers))


class PairSums:
    """Sums of two workers over the images both did: both, first, second of shape (K,)."""

    def __init__(self, sums: NDArray[np.int64], images: int) -> None:
        self.sums = sums
        self.images = images

    def __add__(self, other: PairSums) -> PairSums:
        k = max(self.sums.shape[1], other.sums.shape[1])
        sums = np.zeros((3, k), np.int64)
        sums[:, : self.sums.shape[1]] += self.sums
        sums[:, : other.sums.shape[1]] += other.sums
        return PairSums(sums, self.images + other.images)


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


def estimate_quality(
    images: Mapping[str, int],
    pairs: Mapping[tuple[str, str], PairSums],
    spreads: Mapping[str, Spread],
) -> Estimate:
    """Quality of every worker, by rounds of weighted agreement until weights stand still.

    Parameters
    ----------
    images : dict of worker to int
        Images each worker did.
    pairs : dict of (worker, worker) to PairSums
        Sums of every two who shared images, each pair once.
    spreads : dict of worker to Spread
        Of those who have one.
    """
    workers = sorted(images)
    place = {worker: index for index, worker in enumerate(workers)}
    done = np.array([images[worker] for worker in workers], np.float64)
    a, b, above, room, common = _evidence(place, pairs)

    def others(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over each worker's co-workers of their weight times the pair's values (P, ...)."""
        total = np.zeros((len(workers), *values.shape[1:]))
        shape = (-1,) + (1,) * (values.ndim - 1)
        np.add.at(total, a, values * weights[b].reshape(shape))
        np.add.at(total, b, values * weights[a].reshape(shape))
        return total

    weights = np.ones(len(workers))
    quality, mean, converged, rounds = weights, 1.0, False, 0
    while rounds < MAX_ROUNDS and not converged:
        rounds += 1
        shared, possible = others(above, weights), others(room, weights)
        known = possible > 1e-9
        n_known = known.sum(axis=1)
        ratio = np.where(known, shared / np.where(known, possible, 1), 0).sum(axis=1)
        agreement = np.maximum(ratio / np.maximum(n_known, 1), 0)
        seen = n_known > 0
        if seen.any():
            mean = float((agreement * done)[seen].sum() / done[seen].sum())
        shrunk = (done * agreement + PSEUDO_IMAGES * mean) / (done + PSEUDO_IMAGES)
        quality = np.where(seen, shrunk, mean)
        top = quality.max(initial=0.0)
        new = (quality / top) ** POWER if top > 0 else np.ones(len(workers))
        converged = bool(np.abs(new - weights).max(initial=0.0) < TOLERANCE)
        weights = new
    pixels = others(common, weights)
    level = np.where(
        pixels > 0, others(common, weights * quality) / np.maximum(pixels, 1e-300), quality
    )
    junk = frozenset(w for w, q, of in zip(workers, quality, level, strict=True) if q < JUNK * of)
    return Estimate(
        quality=dict(zip(workers, quality.tolist(), strict=True)),
        level=dict(zip(workers, level.tolist(), strict=True)),
        junk=junk if len(junk) < len(workers) else frozenset(),
        mean=mean,
        rounds=rounds,
        converged=converged,
        error={
            worker: spreads.get(worker, Spread()).error * n / (n + PSEUDO_IMAGES)
            for worker, n in sorted(images.items())
        },
        images={worker: spreads.get(worker, Spread()).images for worker in workers},
    )


def _evidence(
    place: Mapping[str, int], pairs: Mapping[tuple[str, str], PairSums]
) -> tuple[NDArray[Any], ...]:
    """Arrays over pairs: both workers' places, kappa's parts (P, K), common pixels (P,)."""
    # sorted, so that sums are the same to the bit in whatever order images were added
    keys = sorted(pairs)
    k = max((pair.sums.shape[1] for pair in pairs.values()), default=1)
    sums = np.zeros((len(keys), 3, k))
    for index, key in enumerate(keys):
        own = pairs[key].sums
        sums[index, :, : own.shape[1]] = own
    common = sums[:, 1].sum(axis=1)
    chance = sums[:, 1] * sums[:, 2] / np.maximum(common, 1)[:, None]
    above = sums[:, 0] - chance
    room = (sums[:, 1] + sums[:, 2]) / 2 - chance
    a = np.array([place[first] for first, _ in keys], np.int64)
    b = np.array([place[second] for _, second in keys], np.int64)
    return a, b, above, room, common

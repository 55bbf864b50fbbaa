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
machines. Workers who are not independent (see `independence`) are no evidence for each other, and
each is only a part of one for others: one over the size of the group.

How far a worker's quality may be off is told by how much that worker's agreement differs from
image to image: the same ratio is taken of each image alone, every co-worker counting the same, and
its standard deviation over n images, divided by sqrt(n) and shrunk as the quality is, is the
standard error. n, the sum and the sum of squares add up too (integers, in fixed point).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.estimate import POWER, Estimate
from consolidation.consensus.independence import ALIKE, Group, coincidences
from consolidation.consensus.junk import CLEAR_IMAGES, PSEUDO_IMAGES, Partner, doubtful, judge
from consolidation.consensus.pair_sums import PairSums
from consolidation.consensus.worker_sums import WorkerSums

TOLERANCE, MAX_ROUNDS = 1e-6, 50


def estimate_quality(
    sums: Mapping[str, WorkerSums],
    pairs: Mapping[tuple[str, str], PairSums],
    groups: tuple[Group, ...] = (),
) -> Estimate:
    """Quality of every worker, by rounds of weighted agreement until weights stand still.

    Parameters
    ----------
    sums : dict of worker to WorkerSums
    pairs : dict of (worker, worker) to PairSums
        Sums of every two who shared images, each pair once.
    groups : tuple of Group
        Workers who are not independent.
    """
    workers = sorted(sums)
    index_of = {worker: index for index, worker in enumerate(workers)}
    done = np.array([sums[worker].images for worker in workers], np.float64)
    group_of = np.full(len(workers), -1)
    heads = np.ones(len(workers))
    for number, group in enumerate(groups):
        members = [index_of[worker] for worker in group.workers if worker in index_of]
        group_of[members], heads[members] = number, 1 / len(members)
    keys = sorted(
        (first, second)
        for first, second in pairs
        if group_of[index_of[first]] < 0 or group_of[index_of[first]] != group_of[index_of[second]]
    )
    a, b, above, room, common = _evidence(keys, index_of, pairs)

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
        shared, possible = others(above, weights * heads), others(room, weights * heads)
        known = possible > 1e-9
        n_known = known.sum(axis=1)
        ratio = np.where(known, shared / np.where(known, possible, 1), 0).sum(axis=1)
        agreement = np.maximum(ratio / np.maximum(n_known, 1), 0)
        seen = n_known > 0
        if seen.any():
            counted = done * heads
            mean = float((agreement * counted)[seen].sum() / counted[seen].sum())
        shrunk = (done * agreement + PSEUDO_IMAGES * mean) / (done + PSEUDO_IMAGES)
        quality = np.where(seen, shrunk, mean)
        top = quality.max(initial=0.0)
        new = (quality / top) ** POWER if top > 0 else np.ones(len(workers))
        converged = bool(np.abs(new - weights).max(initial=0.0) < TOLERANCE)
        weights = new
    pixels = others(common, weights * heads)
    level = np.where(
        pixels > 0, others(common, weights * heads * quality) / np.maximum(pixels, 1e-300), quality
    )
    qualities = dict(zip(workers, quality.tolist(), strict=True))
    levels = dict(zip(workers, level.tolist(), strict=True))
    low = doubtful(qualities, levels, sums)
    verdict = judge(
        low,
        qualities,
        levels,
        sums,
        dict(zip(workers, heads.tolist(), strict=True)),
        _partners(low, keys, pairs, above, room),
    )
    return Estimate(
        quality=qualities,
        level=levels,
        junk=verdict.junk,
        mean=mean,
        rounds=rounds,
        converged=converged,
        error={
            worker: own.agreement.error * own.images / (own.images + PSEUDO_IMAGES)
            for worker, own in sorted(sums.items())
        },
        images={worker: sums[worker].agreement.images for worker in workers},
        groups=groups,
        spared=verdict.spared,
        contested=verdict.contested,
    )


def _evidence(
    keys: list[tuple[str, str]],
    index_of: Mapping[str, int],
    pairs: Mapping[tuple[str, str], PairSums],
) -> tuple[NDArray[Any], ...]:
    """Arrays over pairs: both workers' places, kappa's parts (P, K), common pixels (P,)."""
    # sorted, so that sums are the same to the bit in whatever order images were added
    k = max((pairs[key].sums.shape[1] for key in keys), default=1)
    sums = np.zeros((len(keys), 3, k))
    for index, key in enumerate(keys):
        own = pairs[key].sums
        sums[index, :, : own.shape[1]] = own
    common = sums[:, 1].sum(axis=1)
    chance = sums[:, 1] * sums[:, 2] / np.maximum(common, 1)[:, None]
    above = sums[:, 0] - chance
    room = (sums[:, 1] + sums[:, 2]) / 2 - chance
    a = np.array([index_of[first] for first, _ in keys], np.int64)
    b = np.array([index_of[second] for _, second in keys], np.int64)
    return a, b, above, room, common


def _partners(
    workers: list[str],
    keys: list[tuple[str, str]],
    pairs: Mapping[tuple[str, str], PairSums],
    above: NDArray[np.float64],
    room: NDArray[np.float64],
) -> dict[str, Partner]:
    """Whom each of these workers agrees with most, of those who are not nearly copies."""
    wanted = set(workers)
    asked = (
        [index for index, key in enumerate(keys) if not wanted.isdisjoint(key)] if wanted else []
    )
    if not asked:
        return {}
    keys, above, room = [keys[index] for index in asked], above[asked], room[asked]
    known = room > 1e-9
    kappa = np.where(known, above / np.where(known, room, 1), 0).sum(axis=1)
    kappa /= np.maximum(known.sum(axis=1), 1)
    images = np.array([pairs[key].images for key in keys])
    kappa *= images / (images + PSEUDO_IMAGES)
    alike = coincidences(np.stack([pairs[key].offsets for key in keys])) >= ALIKE
    partners: dict[str, Partner] = {}
    for index in np.flatnonzero((images >= CLEAR_IMAGES) & ~alike).tolist():
        agreement = float(kappa[index])
        for worker, other in (keys[index], keys[index][::-1]):
            if worker not in partners or agreement > partners[worker].agreement:
                partners[worker] = Partner(other, agreement)
    return partners

"""Who plainly does not do the task, and who only looks so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.worker_sums import FIXED_POINT, WorkerSums

JUNK = 0.4
"""A worker below this share of the co-workers' quality is junk. Real workers were all above .63,
stable junk (blank, blobs, noise) all below .18; the middle is .4."""
CLEAR_IMAGES = 4
"""Images that it takes to be junk, to tell a blank answer that is junk from one that is honest, and
a partner from chance."""
PSEUDO_IMAGES = 2.0
"""Images without agreement that a partner, or painted images alone, are credited with."""


class Partner(NamedTuple):
    """The independent co-worker whom a worker agrees with most."""

    worker: str
    agreement: float
    """Shrunk to 0."""


class Verdict(NamedTuple):
    """Workers who agree with the others too little."""

    junk: frozenset[str]
    spared: Mapping[str, str]
    contested: frozenset[str]


def doubtful(
    quality: Mapping[str, float], level: Mapping[str, float], sums: Mapping[str, WorkerSums]
) -> list[str]:
    """Workers who agree with the others so little that they may be junk."""
    return [
        worker
        for worker in quality
        if quality[worker] < JUNK * level[worker] and sums[worker].images >= CLEAR_IMAGES
    ]


def judge(
    low: Sequence[str],
    quality: Mapping[str, float],
    level: Mapping[str, float],
    sums: Mapping[str, WorkerSums],
    heads: Mapping[str, float],
    partners: Mapping[str, Partner],
) -> Verdict:
    """Tell junk from those who agree with few, but with somebody, or who see less than others.

    Junk are never half of the workers who gave half of the answers, everyone counting as a head
    or, in a group, as a part of it: which half is wrong, nothing in a job can tell.

    Parameters
    ----------
    low : sequence of str
        Who is doubtful.
    quality, level : dict of worker to float
        See `Estimate`.
    sums : dict of worker to WorkerSums
    heads : dict of worker to float
        1, or one over the size of the worker's group.
    partners : dict of worker to Partner
        Of the doubtful who have one.
    """
    spared = {}
    for worker in low:
        why = _excuse(worker, JUNK * level[worker], sums[worker], partners.get(worker))
        if why:
            spared[worker] = why
    junk = frozenset(low) - spared.keys()
    everybody, answers = _counted(quality, sums, heads)
    half, their = _counted(junk, sums, heads)
    if junk and 2 * half >= everybody and 2 * their >= answers:
        return Verdict(frozenset(), spared, junk)
    return Verdict(junk, spared, frozenset())


def _excuse(worker: str, least: float, sums: WorkerSums, partner: Partner | None) -> str:
    """Why a worker who agrees with the others on less than `least` is no junk; empty if junk."""
    if partner is not None and partner.agreement >= least:
        return (
            f"{worker} agrees with {partner.worker} and hardly with the rest: "
            f"{worker} may see what they do not"
        )
    painted = sums.painted
    if painted.images == 0 and sums.missed < CLEAR_IMAGES:
        return (
            f"{worker} left everything blank, but in {sums.missed} images only against most "
            f"others: there may have been nothing"
        )
    if 2 <= painted.images < sums.agreement.images:
        mean = painted.total / FIXED_POINT / (painted.images + PSEUDO_IMAGES)
        if mean >= least:
            return f"{worker} leaves many images blank, and agrees with the others where not"
    return ""


def _counted(
    workers: frozenset[str] | Mapping[str, float],
    sums: Mapping[str, WorkerSums],
    heads: Mapping[str, float],
) -> tuple[float, float]:
    """Heads and answers of some workers."""
    ordered = sorted(workers)
    counts: NDArray[np.float64] = np.array([heads[worker] for worker in ordered])
    images = np.array([sums[worker].images for worker in ordered], np.float64)
    return float(counts.sum()), float(counts @ images) if ordered else 0.0

"""Who is no independent witness: workers whose outlines are too much alike to be drawn twice.

People who draw the same object agree on where it is, and no two of them draw its outline to the
pixel. So two workers are judged by fine detail alone. For every edge of one along a row, the
nearest edge of the other is looked for, and how far it lies is counted (see
`kernels.outlines.offsets`). Their *coincidence* is the share of edges at the commonest of these
distances: all of them for copies, and for a copy that was grown, shrunk or moved by some pixels,
too; nearly all where a copy was changed here and there. Whether two agree on what is there at
all, as careful people do, and as experts of one camp do, changes nothing. On four real sets the
coincidence of two people is .12 to .37, of a copy with 1 to 5 % of its pixels changed .85 to .98,
of a copy grown by 1 to 3 pixels .93 to .99; of independent outlines that waver by half a pixel,
whatever the size of the object, .37 to .5.

An edge that more than half of the others share to the pixel does not count. So where all correct
the same automatic outline, what is compared is what some of them corrected.

A set of workers is a group if they are linked by coincidences of `LEAST` and more, and the odds
of the weakest link are `ODDS` times those of any of them with anybody else. Two workers need
`MIN_IMAGES` images in which both drew. A group is never all workers: nothing is left to compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.pair_sums import PairSums
from consolidation.consensus.stack import Stack
from consolidation.kernels import outlines

MIN_IMAGES = 10
LEAST = 0.67
"""Midway, in odds, between the likest two people of any job measured and the least like copy."""
ODDS = 5.0
ALIKE = 0.5
"""Coincidence from which two workers do not vouch for each other, whoever the others are."""
PRIOR_EDGES = 20
"""Edges without any coincidence that every two workers are credited with."""
MOST_ROWS = 256
"""Rows of an image that are read, evenly spaced: they tell enough."""


class Group(NamedTuple):
    """Workers who are not independent, and the evidence."""

    workers: tuple[str, ...]
    """Sorted."""
    inside: float
    """Coincidence that links them, at its weakest."""
    outside: float
    """Highest coincidence of any of them with anybody else."""
    images: int
    """Images in which two of them drew, at least."""

    def sentence(self) -> str:
        """Evidence in plain words."""
        names = ", ".join(self.workers[:-1]) + f" and {self.workers[-1]}"
        return (
            f"{names} are not independent: over {self.images} images {self.inside:.0%} of their "
            f"outlines lie at one and the same distance to the pixel, with others' at most "
            f"{self.outside:.0%}"
        )


def image_offsets(stack: Stack) -> NDArray[np.int64]:
    """Counts (W, W, 3, N_BINS) of one image; see `kernels.outlines.offsets`."""
    n, (height, width) = stack.n_workers, stack.shape
    counts = np.zeros((n, n, 3, outlines.N_BINS), np.int64)
    codes = np.empty((n, width), np.uint8)
    step = max(height // MOST_ROWS, 1)
    outlines.offsets(stack.array, stack.ignore, step, codes, np.empty(n, np.int64), counts)
    return counts


def coincidences(offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Coincidence (...) of two workers, from counts (..., 2, 3, N_BINS) of both ways.

    Left and right edges each have their own commonest distance; edges between two classes are
    judged apart, for a grown class moves its border to the background only. The likest counts.
    """
    near = offsets[..., :-1]
    peaks, matched = near.max(axis=-1), near.sum(axis=-1)
    outer = peaks[..., :2].sum(axis=-1) / (matched[..., :2].sum(axis=-1) + PRIOR_EDGES)
    inner = peaks[..., 2] / (matched[..., 2] + PRIOR_EDGES)
    likest: NDArray[np.float64] = np.maximum(outer, inner).max(axis=-1)
    return likest


def dependent_groups(pairs: Mapping[tuple[str, str], PairSums]) -> tuple[Group, ...]:
    """Groups among the workers of a job, from the sums of every two who shared images.

    Links are taken from the strongest to the weakest (single linkage), and of every set of
    workers that grows so, the largest that stands apart from all others is a group.
    """
    keys = sorted(key for key, pair in pairs.items() if pair.drawn)
    if not keys:
        return ()
    names = sorted({worker for key in keys for worker in key})
    index_of = {worker: index for index, worker in enumerate(names)}
    first, second = np.array([[index_of[a], index_of[b]] for a, b in keys]).T
    likeness = coincidences(np.stack([pairs[key].offsets for key in keys]))
    drawn = np.array([pairs[key].drawn for key in keys])
    linked = (likeness >= LEAST) & (drawn >= MIN_IMAGES)
    links = np.flatnonzero(linked)
    set_of = np.arange(len(names))
    groups: dict[int, Group] = {}
    for link in links[np.argsort(-likeness[links], kind="stable")].tolist():
        target, other = set_of[first[link]], set_of[second[link]]
        if target == other:
            continue
        set_of[set_of == other] = target
        member = set_of == target
        within = member[first].astype(np.int8) + member[second]
        outside = _likeness_outside(likeness, drawn, within == 1)
        inside = float(likeness[link])
        if outside is not None and _odds(inside) >= ODDS * _odds(outside):
            images = int(drawn[linked & (within == 2)].min())
            workers = tuple(names[index] for index in np.flatnonzero(member).tolist())
            group = Group(workers, inside, outside, images)
            groups.update(dict.fromkeys(np.flatnonzero(member).tolist(), group))
    return tuple(sorted(set(groups.values())))


def _likeness_outside(
    likeness: NDArray[np.float64], drawn: NDArray[np.int64], outside: NDArray[np.bool_]
) -> float | None:
    """Coincidence with others: the highest of those known well, or their mean; None without any."""
    if not outside.any():
        return None
    mean = float(np.average(likeness[outside], weights=drawn[outside]))
    return max(mean, float(likeness[outside & (drawn >= MIN_IMAGES)].max(initial=0.0)))


def _odds(share: float) -> float:
    return share / (1 - share)

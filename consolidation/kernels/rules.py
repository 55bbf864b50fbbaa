"""Small passes over the outcome of a vote: undecided pixels, voters, shares."""

from __future__ import annotations

import numpy as np
from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, at_least, equal_to, lowest_bit


@kernel
def undecide(labels, votes, tied, min_votes, tie_is_undecided, undecided):
    """Take the class from pixels whose vote does not suffice; return how many.

    Parameters
    ----------
    labels : array (N,), in and out
        `undecided` is written where the winner has fewer than `min_votes` votes, or was tied and
        `tie_is_undecided`.
    votes : array (N,), uint8, in and out
        0 is written there.
    tied : array (N,), bool
    """
    total = 0
    for p in range(labels.size):
        fails = votes[p] < min_votes or (tie_is_undecided and tied[p])
        labels[p] = undecided if fails else labels[p]
        votes[p] = 0 if fails else votes[p]
        total += fails
    return total


@kernel
def count_voters(masks, ignore, voters):
    """Workers who labelled each pixel: masks (W, N), voters (N,) uint8 zeros, in and out."""
    n_workers, n = masks.shape
    for w in range(n_workers):
        row = masks[w]
        for p in range(n):
            voters[p] += row[p] != ignore


@kernel
def disputed(masks, ignore, out):
    """Whether those who labelled a pixel gave it different classes: masks (W, N), out (N,)."""
    n_workers, n = masks.shape
    for p in range(n):
        first = -1
        for w in range(n_workers):
            label = types.int64(masks[w, p])
            if label != ignore:
                if first >= 0 and label != first:
                    out[p] = True
                first = label


@kernel
def plain_share(votes, n_workers, share):
    """Write share = votes / n_workers: votes (N,) uint8, share (N,) float32."""
    whole = np.float32(n_workers)
    for p in range(votes.size):
        share[p] = np.float32(votes[p]) / whole


@kernel
def share_by_class(labels, votes, voters, share, sums, counts):
    """Add up share (N,) float32 by class: sums (K,) float64, counts (K,) int64, in and out.

    Parameters
    ----------
    labels : array (N,)
    votes, voters : arrays (N,), uint8
        Workers who voted for the label, 0 where undecided; workers who labelled the pixel.

    Returns
    -------
    (int, int)
        Pixels that all who labelled them gave class 0, and pixels nobody labelled.
    """
    background, unvoted = 0, 0
    label, run_sum, run_count = types.int64(labels[0]), 0.0, 0
    for p in range(labels.size):
        if votes[p] == 0:
            unvoted += voters[p] == 0
            continue
        if labels[p] != label:
            # sums are kept in registers along runs of a class
            if run_count:
                sums[label] += run_sum
                counts[label] += run_count
            label, run_sum, run_count = types.int64(labels[p]), 0.0, 0
        run_sum += share[p]
        run_count += 1
        background += (votes[p] == voters[p]) & (label == 0)
    if run_count:
        sums[label] += run_sum
        counts[label] += run_count
    return background, unvoted


@kernel
def painted_share(masks, ignore, share):
    """Sum of share (N,) over, and number of, pixels that any worker gave a class above 0."""
    n_workers, n = masks.shape
    total, count = 0.0, 0
    for p in range(n):
        painted = False
        for w in range(n_workers):
            label = masks[w, p]
            painted |= (label != 0) & (label != ignore)
        if painted:
            total += share[p]
            count += 1
    return total, count


@kernel
def mark_present(labels, votes, min_votes, present):
    """Set present (65536,) bool for classes that a pixel has with votes enough: (N,), (N,)."""
    last = types.int64(-1)
    whole = labels.size - labels.size % LANES
    for start in range(0, whole, LANES):
        left = at_least(votes, start, min_votes)
        if last >= 0:
            left &= ~equal_to(labels, start, last)
        while left != 0:
            last = types.int64(labels[start + lowest_bit(left)])
            present[last] = True
            left &= ~equal_to(labels, start, last)
    for p in range(whole, labels.size):
        if votes[p] >= min_votes:
            present[labels[p]] = True


@kernel
def to_bytes(share, out):
    """Write out = round(255 share), halves to even: share (N,) float32, out (N,) uint8."""
    for p in range(share.size):
        out[p] = np.uint8(np.rint(share[p] * np.float32(255)))

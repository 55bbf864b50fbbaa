"""Neighbours' votes: the smoothed vote, at disputed pixels only.

Blocks of 64 pixels of a row that hold no disputed pixel are skipped. In the others, for each
class that somebody gave one of the block's disputed pixels, the weighted votes of the window
around all 64 pixels are added up at once: a vector load, a comparison with the class and a masked
addition for every worker and cell of the window (`_window`). All sums are integers: the result
depends neither on the workers' order nor on the machine.
"""

from __future__ import annotations

import numpy as np
from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, changes, lowest_bit
from consolidation.kernels._window import count_own, load_rows, weigh_own, window_sums

N_SCRATCH = 6
"""Rows of int32 that `smooth` needs as scratch."""

MAX_WEIGHTS = 32767
"""Highest sum of the coarse weights: with a window of 65535, scores then fit 31 bits."""


@kernel
def smooth(
    masks,
    weights,
    fine_weights,
    slack,
    by_weight,
    window,
    outside,
    min_votes,
    ties_only,
    undecided,
    allowed,
    labels,
    votes,
    tied,
    first_row,
    places,
    shares,
    ring,
    scratch,
    own,
    sums,
    classes,
):
    """Replace the winners of disputed (or only of tied) pixels by those of the smoothed vote.

    Parameters
    ----------
    masks : array (W, H, Wd)
        One mask a worker.
    weights : array (W,), int32
        What each worker's vote counts, > 0, of sum MAX_WEIGHTS at most.
    fine_weights : array (W,), int64
        The same, rounded less: they say which classes are tied at a pixel.
    slack : int
        Sums of fine weights that differ by no more than this are tied.
    by_weight : bool
        Whether the vote that is replaced was one by weight.
    window : array (2 r + 1, 2 r + 1), uint16
        What a vote counts by its distance; its sum is at most 65535.
    outside : scalar of the masks' dtype
        A label that is no vote and no class: that of ignored pixels, if there are any.
    min_votes : int
        Votes that a class needs at the pixel itself to be chosen, at least 1.
    ties_only : bool
        Only pixels with `tied` are visited, and only the classes tied there compete.
    undecided : int
        Label for pixels whose neighbours tie again; -1 to give them the lowest class.
    allowed : array (65536,), bool
        Classes that may be chosen; at every visited pixel one of them must be.
    labels, votes : arrays (H, Wd), in and out
        In: the plain or weighted vote. Out: the winner and the workers who voted for it.
    tied : array (H, Wd), bool
    first_row : int
        Row to begin with.
    places, shares : arrays (C,), int64 and float32, out, C >= Wd
        Pixels (row * Wd + column) that got a class with fewer votes than the one they had (by
        weight: another class, without a tie), and that class's share of all votes in the window.
    ring : array (W * (2 r + 1) * (Wd + 2 r + 64),), dtype of the masks, scratch
        Rows of the workers' masks around the current one, with margins.
    scratch : array (N_SCRATCH, 64), int32, scratch
    own : array (2, 64), int64, scratch
    sums : array (64,), uint16, scratch
    classes : array (2, 65536), int64, scratch
        Zeros.

    Returns
    -------
    (int, int, int)
        The row to go on with (H when done), the pixels whose class changed, and the number of
        places. When `places` may not hold another row, the caller keeps them and calls again.
    """
    n_workers, height, width = masks.shape
    n_rows = window.shape[0]
    radius = n_rows // 2
    pitch = width + n_rows - 1 + LANES
    stride = n_rows * pitch
    taps = window.reshape(-1)
    # rows of their own, or the compiler must fear that they overlap
    visited, chosen, chosen_votes, best = scratch[0], scratch[1], scratch[2], scratch[3]
    count, score = scratch[4], scratch[5]
    own_weight, most = own[0], own[1]
    ring[:] = outside
    loaded = -1
    changed, stamp, n_places = 0, types.int64(classes[1].max()), 0
    for y in range(first_row, height):
        if n_places + width > places.size:
            return y, changed, n_places
        for x in range(0, width, LANES):
            size = min(LANES, width - x)
            if not _visit(votes, tied, y, x, n_workers, min_votes, ties_only, visited):
                continue
            loaded = load_rows(masks, ring, loaded, y, radius, pitch)
            stamp += 1
            # in the flat ring: the pixels themselves, and one worker after another
            here = (y % n_rows) * pitch + x + radius
            n_classes = _classes_of(ring, here, n_workers, stride, allowed, classes, stamp)
            for i in range(LANES):
                best[i] = -1
                most[i] = 0
                own_weight[i] = 0
            rows = max(y - radius, 0), min(y + radius + 1, height)
            if ties_only:
                for k in range(n_classes):
                    count_own(ring, here, n_workers, stride, classes[0, k], count)
                    weigh_own(ring, here, stride, classes[0, k], fine_weights, own_weight)
                    for i in range(LANES):
                        if count[i] >= min_votes:
                            most[i] = max(most[i], own_weight[i])
            for k in range(n_classes):
                label = classes[0, k]
                count_own(ring, here, n_workers, stride, label, count)
                if ties_only:
                    weigh_own(ring, here, stride, label, fine_weights, own_weight)
                window_sums(ring, pitch, rows, y, x, label, weights, taps, n_rows, sums, score)
                name, drawn, needed = np.int32(label), np.int32(undecided), np.int32(min_votes)
                none = np.int32(0)
                for i in range(LANES):
                    enough = (count[i] >= needed) & (own_weight[i] + slack >= most[i])
                    better = enough & (score[i] > best[i])
                    # a draw lasts until a class has a higher score
                    draw = enough & (score[i] == best[i]) & (drawn >= none)
                    chosen[i] = name if better else (drawn if draw else chosen[i])
                    chosen_votes[i] = count[i] if better else (none if draw else chosen_votes[i])
                    best[i] = score[i] if better else best[i]
            before = n_places
            for i in range(size):
                if visited[i]:
                    fewer = chosen_votes[i] < votes[y, x + i]
                    other = by_weight and labels[y, x + i] != chosen[i] and not tied[y, x + i]
                    if chosen_votes[i] > 0 and (fewer or other):
                        places[n_places] = y * width + x + i
                        n_places += 1
                    changed += labels[y, x + i] != chosen[i]
                    labels[y, x + i] = chosen[i]
                    votes[y, x + i] = chosen_votes[i]
            if n_places > before:
                # all that is a vote in the window: all but what is not
                outer = types.int64(outside)
                window_sums(ring, pitch, rows, y, x, outer, weights, taps, n_rows, sums, score)
                inside = taps[(rows[0] - y + radius) * n_rows : (rows[1] - y + radius) * n_rows]
                total = inside.sum() * weights.sum()
                for n in range(before, n_places):
                    i = places[n] - y * width - x
                    shares[n] = best[i] / (total - score[i])
    return height, changed, n_places


@kernel
def _visit(votes, tied, y, x, n_workers, min_votes, ties_only, visited):
    """Mark the pixels to be decided among 64; whether there are any."""
    size = min(LANES, votes.shape[1] - x)
    row, tied_row = votes[y, x : x + size], tied[y, x : x + size]
    everyone, needed = np.uint8(n_workers), np.uint8(min_votes)
    found = 0
    if ties_only:
        for i in range(size):
            found += tied_row[i] & (row[i] >= needed)
    else:
        for i in range(size):
            found += (row[i] != everyone) & (row[i] >= needed)
    if found == 0:
        return False
    for i in range(size):
        undecided = tied_row[i] if ties_only else row[i] != everyone
        visited[i] = undecided & (row[i] >= needed)
    return True


@kernel
def _classes_of(ring, here, n_workers, stride, allowed, classes, stamp):
    """Write the allowed classes of a block of 64 pixels to classes[0], sorted; their number."""
    n = 0
    for w in range(n_workers):
        start = here + w * stride
        # the first pixel, and those where the label changes
        bits = changes(ring, start + 1) << types.uint64(1) | types.uint64(1)
        while bits != 0:
            label = ring[start + lowest_bit(bits)]
            bits &= bits - types.uint64(1)
            if classes[1, label] != stamp:
                classes[1, label] = stamp
                if allowed[label]:
                    at = n
                    while at > 0 and classes[0, at - 1] > label:
                        classes[0, at] = classes[0, at - 1]
                        at -= 1
                    classes[0, at] = label
                    n += 1
    return n

"""Neighbours' votes: the smoothed vote, at disputed pixels only.

Disputed pixels are found 64 at a time. Up to `GROUP` of them, from the first that is left on, are
decided together: where two classes were given to them, as nearly everywhere, by the difference of
their votes, which is added up over all windows at once; else class by class (`_window`). What is
thin is left to the vote (`_thin`). All sums are integers: the result depends neither on the
workers' order nor on the machine.
"""

from __future__ import annotations

import numpy as np
from numba import types

from consolidation.kernels._choice import choose, classes_of
from consolidation.kernels._jit import counting_no_references, part
from consolidation.kernels._lanes import LANES, at_least, equal_to, lowest_bit
from consolidation.kernels._thin import MAX_RADIUS, keep_rows, left_to_vote
from consolidation.kernels._window import GROUP, differing, load_tile, window_votes

N_SCRATCH = 3
"""Rows of int32 that `smooth` needs as scratch."""

MAX_WEIGHTS = 32767
"""Highest sum of the coarse weights: they fit int16, and scores with a window of 65535 int32."""

WHOLE_GROUP = np.uint64((1 << GROUP) - 1)


@counting_no_references
def smooth(
    masks,
    weights,
    ones,
    fine_weights,
    slack,
    by_weight,
    window,
    outside,
    ignoring,
    min_votes,
    ties_only,
    undecided,
    allowed,
    labels,
    votes,
    tied,
    close,
    first_row,
    places,
    shares,
    tile,
    scratch,
    sums,
    classes,
    ring,
    kept,
    rows,
):
    """Replace the winners of disputed (or only of tied) pixels by those of the smoothed vote.

    Parameters
    ----------
    masks : array (W, H, Wd)
        One mask a worker.
    weights : array (W,), int16
        What each worker's vote counts, > 0, of sum MAX_WEIGHTS at most.
    ones : array (W,), int16
        Ones.
    fine_weights : array (W,), int64
        The same, rounded less: they say which classes are tied at a pixel.
    slack : int
        Sums of fine weights that differ by no more than this are tied.
    by_weight : bool
        Whether the vote that is replaced was one by weight.
    window : array (2 r + 1, 2 r + 1), int32
        What a vote counts by its distance; its sum is at most 65535.
    outside : scalar of the masks' dtype
        A label that is no vote and no class: that of ignored pixels, if there are any.
    ignoring : bool
        Whether the masks may hold `outside`.
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
    tied : array (H, Wd), uint8
    close : array (H, Wd), uint8
        Where thin things do not keep the vote.
    first_row : int
        Row to begin with.
    places, shares : arrays (C,), int64 and float32, out, C >= Wd
        Pixels (row * Wd + column) that got a class with fewer votes than the one they had (by
        weight: another class, without a tie), and that class's share of all votes in the window.
    tile : array ((W * (2 r + 1) + 2) * LANES,), dtype of the masks, scratch
    scratch : array (N_SCRATCH, GROUP), int32, scratch
    sums : array ((2 r + 1) * LANES,), int16, scratch
    classes : array (W * GROUP,), int64, scratch
    ring : array (n * (Wd + n - 1 + LANES),), dtype of the labels, n = 2 reach(r) + 1, in and out
    kept : array (1,), int64, in and out
        -1 before the first call, and then what the call before left.
    rows : array (n,), uint64, scratch

    Returns
    -------
    (int, int, int)
        The row to go on with (H when done), the pixels whose class changed, and the number of
        places. When `places` may not hold another row, the caller keeps them and calls again.
    """
    n_workers, height, width = masks.shape
    side = window.shape[0]
    radius = side // 2
    taps, flat = window.reshape(-1), masks.reshape(-1)
    flat_labels, flat_votes, flat_tied = labels.reshape(-1), votes.reshape(-1), tied.reshape(-1)
    flat_close = close.reshape(-1)
    # rows of their own, or the compiler must fear that they overlap
    chosen, best, score = scratch[0], scratch[1], scratch[2]
    changed, n_places = 0, 0
    for y in range(first_row, height):
        if n_places + width > places.size:
            return y, changed, n_places
        for block in range(0, width, LANES):
            start, size = y * width + block, min(LANES, width - block)
            left = _visited(flat_votes, flat_tied, start, size, n_workers, min_votes, ties_only)
            while left != 0:
                shift = types.uint64(lowest_bit(left))
                x = block + types.intp(shift)
                pixels = (left >> shift) & WHOLE_GROUP
                left &= ~(pixels << shift)
                partly = load_tile(flat, tile, outside, n_workers, height, width, y, x, radius)
                partly |= ignoring
                top = max(y - radius, 0)
                n_rows, first_row_there = min(y + radius + 1, height) - top, top - y + radius
                here = (y - top) * LANES + radius
                n_classes = classes_of(tile, here, n_workers, side, pixels, allowed, classes)
                choose(
                    tile,
                    n_rows,
                    first_row_there,
                    here,
                    pixels,
                    weights,
                    ones,
                    fine_weights,
                    slack,
                    taps,
                    min_votes,
                    ties_only,
                    undecided >= 0,
                    classes,
                    n_classes,
                    chosen,
                    best,
                    score,
                    sums,
                )
                first, before = y * width + x, n_places
                if first + GROUP <= flat_labels.size:
                    pixels &= differing(flat_labels, first, chosen)
                if pixels != 0 and not ties_only:
                    keep_rows(flat_labels, ring, kept, height, width, y, rows.size // 2)
                    pixels &= ~left_to_vote(
                        flat_labels,
                        flat_close,
                        chosen,
                        pixels,
                        ring,
                        height,
                        width,
                        y,
                        x,
                        min(radius, MAX_RADIUS),
                        rows,
                    )
                while pixels != 0:
                    i = lowest_bit(pixels)
                    pixels &= pixels - types.uint64(1)
                    p = first + i
                    if chosen[i] == flat_labels[p]:
                        continue
                    count = 0
                    for w in range(n_workers):
                        count += tile[here + i + w * side * LANES] == chosen[i]
                    other = by_weight and flat_tied[p] == 0
                    if chosen[i] >= 0 and (count < flat_votes[p] or other):
                        places[n_places] = p
                        n_places += 1
                    changed += 1
                    flat_labels[p] = chosen[i] if chosen[i] >= 0 else undecided
                    flat_votes[p] = count
                if n_places > before:
                    _share(
                        tile,
                        n_rows,
                        first_row_there,
                        weights,
                        taps,
                        types.int64(outside),
                        partly,
                        first,
                        chosen,
                        best,
                        score,
                        sums,
                        places,
                        before,
                        n_places,
                        shares,
                    )
    return height, changed, n_places


@part
def _visited(votes, tied, start, size, n_workers, min_votes, ties_only):
    """Bits of the pixels to be decided among 64, or so many as there are."""
    if start + LANES <= votes.size:
        bits = equal_to(tied, start, 1) if ties_only else ~equal_to(votes, start, n_workers)
        bits &= at_least(votes, start, min_votes)
        if size < LANES:
            bits &= (types.uint64(1) << types.uint64(size)) - types.uint64(1)
        return bits
    bits = types.uint64(0)
    for i in range(size):
        disputed = tied[start + i] != 0 if ties_only else votes[start + i] != n_workers
        if disputed and votes[start + i] >= min_votes:
            bits |= types.uint64(1) << types.uint64(i)
    return bits


@counting_no_references
def _share(
    tile,
    n_rows,
    first_row,
    weights,
    taps,
    outside,
    partly,
    first,
    chosen,
    score,
    others,
    sums,
    places,
    begin,
    end,
    shares,
):
    """Shares of all votes in the windows of some pixels that the classes chosen for them got."""
    side = sums.size // LANES
    taps_inside, weight = types.int64(0), types.int64(0)
    for tap in range(first_row * side, (first_row + n_rows) * side):
        taps_inside += taps[tap]
    for w in range(weights.size):
        weight += weights[w]
    for i in range(GROUP):
        others[i] = 0
    if partly:
        window_votes(tile, n_rows, first_row, weights, outside, -1, taps, sums, others)
    label = -1
    for n in range(begin, end):
        i = places[n] - first
        if chosen[i] != label:
            label = types.int64(chosen[i])
            window_votes(tile, n_rows, first_row, weights, label, -1, taps, sums, score)
        shares[n] = score[i] / (taps_inside * weight - others[i])

"""Neighbours' votes: the smoothed vote, at disputed pixels only.

Blocks of 64 pixels of a row that hold no disputed pixel are skipped. In the others, for each
class that somebody gave one of the block's disputed pixels, the weighted votes of the window
around all 64 pixels are added up at once: a vector load, a comparison with the class and a masked
addition for every worker and cell of the window. Rows are first copied into a small ring with
margins, so that a window never leaves it. All sums are integers: the result depends neither on
the workers' order nor on the machine.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, Lanes, changes, lowest_bit

N_SCRATCH = 9
"""Rows of int32 that `smooth` needs as scratch."""

MAX_WEIGHTS = 32767
"""Highest sum of the workers' weights: with a window of 65535, scores then fit 31 bits."""


@intrinsic
def _add_row(typing_context, row, start, label, window, sums):
    """Add to sums (64,) uint16 window[d] where row[start + i + d] is `label`, for all d and i."""
    signature = types.void(row, types.intp, types.int64, window, sums)

    def codegen(context, builder, _signature, arguments):
        row_, start_, label_, window_, sums_ = arguments
        v = Lanes(context, builder, LANES, row.dtype.bitwidth, start_)
        word = v.vector(16)
        zero = ir.Constant(word, [0] * LANES)
        first = ir.Constant(start_.type, 0)
        taps = context.make_array(window)(context, builder, window_)
        n_taps = builder.extract_value(taps.shape, 0)
        wanted = v.splat(builder.trunc(label_, v.label.element), v.label)
        total = cgutils.alloca_once_value(builder, v.load(sums, sums_, word, first))
        with cgutils.for_range(builder, n_taps) as loop:
            labels = v.load(row, row_, v.label, builder.add(start_, loop.index))
            tap = v.splat(builder.load(builder.gep(taps.data, [loop.index])), word)
            same = builder.icmp_unsigned("==", labels, wanted)
            added = builder.select(same, tap, zero)
            builder.store(builder.add(builder.load(total), added), total)
        v.store(builder.load(total), sums, sums_, first)
        return context.get_dummy_value()

    return signature, codegen


@kernel
def smooth(
    masks,
    weights,
    slack,
    window,
    outside,
    min_votes,
    ties_only,
    undecided,
    allowed,
    labels,
    votes,
    tied,
    share,
    ring,
    scratch,
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
    slack : int
        Weights that differ by no more than this are tied.
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
    share : array (H, Wd), float32, or (0, 0)
        Out, where a class with fewer votes than another was chosen: its share of all votes in
        the window.
    ring : array (W, 2 r + 1, Wd + 2 r + 64), dtype of the masks, scratch
    scratch : array (N_SCRATCH, 64), int32, scratch
    sums : array (64,), uint16, scratch
    classes : array (2, 65536), int64, scratch
        Zeros.

    Returns
    -------
    int
        Pixels whose class changed.
    """
    n_workers, height, width = masks.shape
    radius = window.shape[0] // 2
    # rows of their own, or the compiler must fear that they overlap
    visited, chosen, chosen_votes = scratch[0], scratch[1], scratch[2]
    best, top_own, top_count = scratch[3], scratch[4], scratch[5]
    own, count, score = scratch[6], scratch[7], scratch[8]
    ring[:] = outside
    loaded = -1
    changed, stamp = 0, 0
    for y in range(height):
        for x in range(0, width, LANES):
            size = min(LANES, width - x)
            if not _visit(votes, tied, y, x, n_workers, min_votes, ties_only, visited):
                continue
            loaded = _load_rows(masks, ring, loaded, y, radius)
            stamp += 1
            slot = y % ring.shape[1]
            n_classes = _classes_of(ring, slot, x + radius, allowed, classes, stamp)
            here = ring[:, slot, x + radius : x + radius + LANES]
            for i in range(LANES):
                best[i] = -1
                top_own[i] = 0
                top_count[i] = 0
            if ties_only or share.size > 0:
                for k in range(n_classes):
                    _support(here, classes[0, k], weights, own, count)
                    _raise_to(own, top_own)
                    _raise_to(count, top_count)
            for k in range(n_classes):
                label = classes[0, k]
                _support(here, label, weights, own, count)
                _window_sums(ring, height, y, x, label, weights, window, sums, score)
                for i in range(LANES):
                    enough = count[i] >= min_votes
                    enough &= not ties_only or own[i] >= top_own[i] - slack
                    better = enough & (score[i] > best[i])
                    # a draw lasts until a class has a higher score
                    draw = enough & (score[i] == best[i]) & (undecided >= 0)
                    chosen[i] = label if better else (undecided if draw else chosen[i])
                    chosen_votes[i] = count[i] if better else (0 if draw else chosen_votes[i])
                    best[i] = score[i] if better else best[i]
            if share.size > 0:
                # all that is a vote in the window: all but what is not
                outer = types.int64(outside)
                _window_sums(ring, height, y, x, outer, weights, window, sums, score)
                total = _taps_inside(window, y, height) * weights.sum()
                for i in range(size):
                    if visited[i] and 0 < chosen_votes[i] < top_count[i]:
                        share[y, x + i] = best[i] / (total - score[i])
            for i in range(size):
                if visited[i]:
                    changed += labels[y, x + i] != chosen[i]
                    labels[y, x + i] = chosen[i]
                    votes[y, x + i] = chosen_votes[i]
    return changed


@kernel
def _visit(votes, tied, y, x, n_workers, min_votes, ties_only, visited):
    """Mark the pixels to be decided among 64; whether there are any."""
    size = min(LANES, votes.shape[1] - x)
    row, tied_row = votes[y, x : x + size], tied[y, x : x + size]
    found = 0
    for i in range(size):
        open_ = (row[i] >= min_votes) & (tied_row[i] if ties_only else row[i] != n_workers)
        visited[i] = open_
        found |= open_
    return found != 0


@kernel
def _load_rows(masks, ring, loaded, y, radius):
    """Copy the rows of the window around y that the ring lacks; return the last row it has."""
    n_workers, height, width = masks.shape
    n_rows = ring.shape[1]
    last = min(y + radius, height - 1)
    for row in range(max(loaded + 1, y - radius, 0), last + 1):
        for w in range(n_workers):
            ring[w, row % n_rows, radius : radius + width] = masks[w, row]
    return max(loaded, last)


@kernel
def _classes_of(ring, slot, x, allowed, classes, stamp):
    """Write the allowed classes of a block of 64 pixels to classes[0], sorted; their number."""
    found, seen = classes[0], classes[1]
    n = 0
    for w in range(ring.shape[0]):
        row = ring[w, slot]
        # the first pixel, and those where the label changes
        bits = changes(row, x + 1) << types.uint64(1) | types.uint64(1)
        while bits != 0:
            label = row[x + lowest_bit(bits)]
            bits &= bits - types.uint64(1)
            if seen[label] != stamp:
                seen[label] = stamp
                if allowed[label]:
                    at = n
                    while at > 0 and found[at - 1] > label:
                        found[at] = found[at - 1]
                        at -= 1
                    found[at] = label
                    n += 1
    return n


@kernel
def _support(here, label, weights, own, count):
    """Weight and votes that each of 64 pixels itself gives a class."""
    for i in range(LANES):
        own[i] = 0
        count[i] = 0
    for w in range(here.shape[0]):
        row = here[w]
        weight = weights[w]
        for i in range(LANES):
            same = row[i] == label
            own[i] += weight if same else 0
            count[i] += same


@kernel
def _raise_to(values, highest):
    for i in range(LANES):
        highest[i] = values[i] if values[i] > highest[i] else highest[i]


@kernel
def _window_sums(ring, height, y, x, label, weights, window, sums, score):
    """Weighted votes for a class in the windows around 64 pixels."""
    n_workers, n_rows, _ = ring.shape
    radius = n_rows // 2
    top, bottom = max(y - radius, 0), min(y + radius + 1, height)
    first = top % n_rows
    for i in range(LANES):
        score[i] = 0
    for w in range(n_workers):
        for i in range(LANES):
            sums[i] = 0
        slot = first
        for row in range(top, bottom):
            _add_row(ring[w, slot], x, label, window[row - y + radius], sums)
            slot = slot + 1 if slot + 1 < n_rows else 0
        weight = weights[w]
        for i in range(LANES):
            score[i] += weight * sums[i]


@kernel
def _taps_inside(window, y, height):
    """Sum of the window's rows that lie in the image."""
    radius = window.shape[0] // 2
    total = 0
    for row in range(max(y - radius, 0), min(y + radius + 1, height)):
        for tap in window[row - y + radius]:
            total += tap
    return total

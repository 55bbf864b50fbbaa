"""The class of a few disputed pixels: which compete, and which of them scores the most."""

from __future__ import annotations

import numpy as np
from numba import types

from consolidation.kernels._jit import counting_no_references, part
from consolidation.kernels._lanes import LANES, at_least, equal_to, lowest_bit
from consolidation.kernels._window import challenge, count_row, window_votes

LOWEST = np.int32(-(1 << 31))


@part
def classes_of(tile, here, n_workers, side, pixels, allowed, classes):
    """Write the allowed classes that some pixels were given to `classes`, sorted; their number."""
    n = 0
    for w in range(n_workers):
        start = here + w * side * LANES
        left = pixels
        while left != 0:
            label = types.int64(tile[start + lowest_bit(left)])
            left &= ~equal_to(tile, start, label)
            at = n
            while at > 0 and classes[at - 1] > label:
                at -= 1
            if (at == 0 or classes[at - 1] != label) and allowed[label]:
                for k in range(n, at, -1):
                    classes[k] = classes[k - 1]
                classes[at] = label
                n += 1
    return n


@part
def choose(
    tile,
    n_rows,
    first_row,
    here,
    pixels,
    weights,
    ones,
    fine_weights,
    slack,
    taps,
    min_votes,
    ties_only,
    draws,
    classes,
    n_classes,
    chosen,
    best,
    score,
    sums,
):
    """Write the class of each of GROUP pixels to chosen, -1 where several score the most."""
    stride = sums.size
    best[:] = LOWEST
    for k in range(n_classes):
        label = classes[k]
        count_row(tile, here, stride, ones, label, -1, False, sums, 0)
        enough = at_least(sums, 0, min_votes) & pixels
        if ties_only:
            enough = _tied_there(
                tile,
                here,
                stride,
                enough,
                fine_weights,
                slack,
                min_votes,
                label,
                classes,
                n_classes,
            )
        if n_classes > 2 or k + 1 < n_classes:
            rival = classes[k + 1] if n_classes == 2 else types.int64(-1)
            window_votes(tile, n_rows, first_row, weights, label, rival, taps, sums, score)
        else:
            # the second of two classes: the first one's score is the difference
            score[:] = 0
        challenge(score, enough, label, draws, best, chosen)


@counting_no_references
def _tied_there(tile, here, stride, pixels, weights, slack, min_votes, label, classes, n_classes):
    """Bits of those pixels where no class has more weight than `label`."""
    left, tied = pixels, types.uint64(0)
    while left != 0:
        i = lowest_bit(left)
        bit = left & (~left + types.uint64(1))
        left ^= bit
        own = _weigh(tile, here + i, stride, weights, label, min_votes)
        most = own
        for k in range(n_classes):
            rival = _weigh(tile, here + i, stride, weights, classes[k], min_votes)
            most = max(most, rival)
        if own + slack >= most:
            tied |= bit
    return tied


@part
def _weigh(tile, start, stride, weights, label, min_votes):
    """Weight of a class at a pixel, 0 where it has too few votes."""
    total, count = types.int64(0), 0
    for w in range(weights.size):
        if tile[start + w * stride] == label:
            total += weights[w]
            count += 1
    return total if count >= min_votes else types.int64(0)

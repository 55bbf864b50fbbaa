"""Two masks side by side: pixels by their pair of labels, counted by runs of equal pairs.

Where one of the two is a consensus, most pixels are equal, and only those that differ are counted.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, changes, lowest_bit
from consolidation.kernels._words import count_bits, differences, equals

MANY_PAIRS = 8
"""Pairs of labels in a block of 64 pixels after which each pixel is counted by itself: noise."""


@kernel
def _pair_boundaries(a, b, start):
    """Bits of the pixels in start .. start + 63 where either mask's label changes."""
    if start + LANES <= a.size:
        return changes(a, start) | changes(b, start)
    bits = types.uint64(0)
    for i in range(a.size - start):
        if a[start + i] != a[start + i - 1] or b[start + i] != b[start + i - 1]:
            bits |= types.uint64(1) << types.uint64(i)
    return bits


@kernel
def confusion(a, b, ignore, undecided, matrix):
    """Count the pairs of labels of two masks (N,) by runs: matrix (K, L) int64, in and out.

    Pairs where a is `ignore` or b is `undecided` are left out, and labels beyond the matrix.
    """
    n = a.size
    run_start = 0
    block = 1
    while block < n:
        bits = _pair_boundaries(a, b, block)
        while bits != 0:
            p = block + lowest_bit(bits)
            bits &= bits - types.uint64(1)
            _count_run(a[run_start], b[run_start], ignore, undecided, p - run_start, matrix)
            run_start = p
        block += LANES
    _count_run(a[run_start], b[run_start], ignore, undecided, n - run_start, matrix)


@kernel
def _count_run(i, j, ignore, undecided, length, matrix):
    if i != ignore and j != undecided and i < matrix.shape[0] and j < matrix.shape[1]:
        matrix[i, j] += length


@kernel
def _boundaries(row, start):
    """Bits of the pixels in start .. start + 63 whose label is not that of the one before."""
    if start > 0 and start + LANES <= row.size:
        return differences(row, start, row, start - 1)
    bits = types.uint64(0)
    for i in range(max(start, 1), min(start + LANES, row.size)):
        if row[i] != row[i - 1]:
            bits |= types.uint64(1) << types.uint64(i - start)
    return bits


@kernel
def count_classes(row, counts):
    """Count pixels of each class in one mask (N,): counts (K,) int64, in and out."""
    start = 0
    for block in range(0, row.size, LANES):
        bits = _boundaries(row, block)
        while bits != 0:
            p = block + lowest_bit(bits)
            bits &= bits - types.uint64(1)
            if row[start] < counts.size:
                counts[row[start]] += p - start
            start = p
    if row[start] < counts.size:
        counts[row[start]] += row.size - start


@kernel
def disagreement(a, b, ignore, undecided, totals, left, matrix):
    """Do what `confusion` does, from the pixels where the masks differ.

    Parameters
    ----------
    a, b : arrays (N,)
        The second has `ignore` nowhere but where it is `undecided`.
    ignore, undecided : int
        As for `confusion`.
    totals : array (K,), int64
        Pixels of each class in b.
    left : array (K,), int64, scratch
    matrix : array (K, K), int64, in and out
    """
    n = a.size
    for k in range(totals.size):
        left[k] = totals[k]
    blocks = n - n % LANES
    for start in range(0, blocks, LANES):
        # most blocks: no difference
        if differences(a, start, b, start) != 0:
            _count_block(a, b, start, ignore, undecided, left, matrix)
    for p in range(blocks, n):
        if a[p] != b[p]:
            _count_pair(a[p], b[p], 1, ignore, undecided, left, matrix)
    for k in range(totals.size):
        matrix[k, k] += left[k]


@kernel
def _count_block(a, b, start, ignore, undecided, left, matrix):
    """Count the pixels of a block where labels differ, all of the same pair at once."""
    bits = types.uint64(differences(a, start, b, start))
    n_pairs = 0
    while bits != 0:
        p = start + lowest_bit(bits)
        same = bits & (types.uint64(0) - bits)
        if n_pairs < MANY_PAIRS:
            same = bits & equals(a, start, a[p]) & equals(b, start, b[p])
        bits &= ~same
        _count_pair(a[p], b[p], count_bits(same), ignore, undecided, left, matrix)
        n_pairs += 1


@kernel
def _count_pair(i, j, pixels, ignore, undecided, left, matrix):
    if j != undecided and j < left.size:
        left[j] -= pixels
        if i != ignore and i < left.size:
            matrix[i, j] += pixels


@kernel
def overlap(a, b, ignore, undecided, sums):
    """Pixels of each class in both masks (N,), in a and in b: sums (3, K) int64, zeros, out.

    Pixels where a is `ignore` or b is `undecided` are left out. What IoU needs of `confusion`,
    in memory that grows with the classes, not with their square.
    """
    n = a.size
    run_start = 0
    block = 1
    while block < n:
        bits = _pair_boundaries(a, b, block)
        while bits != 0:
            p = block + lowest_bit(bits)
            bits &= bits - types.uint64(1)
            _overlap_run(a[run_start], b[run_start], ignore, undecided, p - run_start, sums)
            run_start = p
        block += LANES
    _overlap_run(a[run_start], b[run_start], ignore, undecided, n - run_start, sums)
    for k in range(sums.shape[1]):
        sums[1, k] += sums[0, k]
        sums[2, k] += sums[0, k]


@kernel
def _overlap_run(i, j, ignore, undecided, length, sums):
    if i == j and i != ignore and j != undecided:
        # most runs: one sum for three, put right at the end
        sums[0, i] += length
    elif i != ignore and j != undecided:
        sums[1, i] += length
        sums[2, j] += length

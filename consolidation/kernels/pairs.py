"""Two masks side by side: pixels by their pair of labels, counted by runs of equal pairs."""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, changes, lowest_bit


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

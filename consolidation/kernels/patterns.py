"""Vote patterns: the unique tuples of votes of an image, and how many pixels have each.

Masks are smooth, so a pixel's tuple of votes mostly equals its left neighbour's. A vector
comparison finds the pixels where any worker's label changes; only there is a tuple gathered,
hashed, verified against the tuples known and counted. Nothing is stored a pixel: painting back
walks the image a second time, which is cheaper than the memory of the runs.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, changes, lowest_bit


@kernel
def _boundaries(masks, start):
    """Bits of the pixels in start .. start + 63 where any worker's label changes."""
    n_workers, n = masks.shape
    bits = types.uint64(0)
    if start + LANES <= n:
        for w in range(n_workers):
            bits |= changes(masks[w], start)
    else:
        for i in range(n - start):
            for w in range(n_workers):
                if masks[w, start + i] != masks[w, start + i - 1]:
                    bits |= types.uint64(1) << types.uint64(i)
    return bits


@kernel
def _find(masks, p, tuples, table):
    """Index of pixel p's tuple, or -1 - slot, with the free slot of the table where it belongs."""
    n_workers = masks.shape[0]
    key = types.uint64(0)
    for w in range(n_workers):
        key = (key ^ types.uint64(masks[w, p])) * types.uint64(0x9E3779B97F4A7C15)
        key ^= key >> types.uint64(29)
    last = types.uint64(table.size - 1)
    slot = key & last
    while table[slot] >= 0:
        found = table[slot]
        equal = True
        for w in range(n_workers):
            equal &= tuples[found, w] == masks[w, p]
        if equal:
            return types.int64(found)
        slot = (slot + types.uint64(1)) & last
    return -1 - types.int64(slot)


@kernel
def encode(masks, start, n_known, tuples, counts, table):
    """Count the pixels from `start` on by their tuple of votes, until done or full.

    Parameters
    ----------
    masks : array (W, N)
    start : int
        First pixel to count.
    n_known : int
        Tuples known already.
    tuples : array (P, W), dtype of the masks, in and out
    counts : array (P,), int64, in and out
    table : array (size a power of two, > P), int32, in and out
        Open-addressed hash table of indices into `tuples`; -1 is free.

    Returns
    -------
    (int, int)
        The pixel to go on from (N when done), and the tuples known. When `tuples` is full the
        caller makes room and calls again.
    """
    n = masks.shape[1]
    run_start, run = start, types.int64(-1)
    bits = types.uint64(1)
    block = start
    while block < n:
        if block != start:
            bits = _boundaries(masks, block)
        while bits != 0:
            p = block + lowest_bit(bits)
            bits &= bits - types.uint64(1)
            if run >= 0:
                counts[run] += p - run_start
            run_start = p
            run = _find(masks, p, tuples, table)
            if run < 0:
                if n_known == counts.size:
                    return p, n_known
                table[-1 - run] = n_known
                for w in range(masks.shape[0]):
                    tuples[n_known, w] = masks[w, p]
                run = n_known
                n_known += 1
        block += 1 if block == start else LANES
    if run >= 0:
        counts[run] += n - run_start
    return n, n_known


@kernel
def rehash(tuples, n_known, table):
    """Enter tuples (P, W) into an empty table of -1."""
    columns = tuples.T
    for i in range(n_known):
        slot = _find(columns, i, tuples, table)
        table[-1 - slot] = i


@kernel
def paint(masks, tuples, table, values, wanted, out):
    """Write into out (N,) the value (P,) of each pixel's tuple where it is wanted (P,) bool.

    All tuples must be known.
    """
    n = masks.shape[1]
    run_start, run = 0, types.int64(-1)
    bits = types.uint64(1)
    block = 0
    while block < n:
        if block != 0:
            bits = _boundaries(masks, block)
        while bits != 0:
            p = block + lowest_bit(bits)
            bits &= bits - types.uint64(1)
            if run >= 0 and wanted[run]:
                out[run_start:p] = values[run]
            run_start = p
            run = _find(masks, p, tuples, table)
        block += 1 if block == 0 else LANES
    if run >= 0 and wanted[run]:
        out[run_start:n] = values[run]


@kernel
def pairwise_confusion(tuples, counts, matrices):
    """Add up the pairs of labels of every two workers.

    Parameters
    ----------
    tuples : array (P, W)
    counts : array (P,), int64
    matrices : array (W, W, K, K), int64, in and out
        [a, b, i, j]: pixels that worker a gave class i and worker b class j, for a <= b. Labels
        from K on (ignored, undecided) are left out.
    """
    n_patterns, n_workers = tuples.shape
    n_classes = matrices.shape[2]
    for p in range(n_patterns):
        for a in range(n_workers):
            i = tuples[p, a]
            if i < n_classes:
                for b in range(a, n_workers):
                    j = tuples[p, b]
                    if j < n_classes:
                        matrices[a, b, i, j] += counts[p]


@kernel
def agreements(tuples, counts, ignore, sums):
    """Add up, for every two workers and class, where they agree and where each gives it.

    Parameters
    ----------
    tuples : array (P, W)
    counts : array (P,), int64
    ignore : int
        A label that is no vote; -1 for none. Pixels that either ignores are left out.
    sums : array (W, W, 3, K), int64, in and out
        [a, b] for a < b: pixels that both gave the class, that a gave it, that b gave it.
    """
    n_patterns, n_workers = tuples.shape
    for p in range(n_patterns):
        for a in range(n_workers):
            i = tuples[p, a]
            if i == ignore:
                continue
            for b in range(a + 1, n_workers):
                j = tuples[p, b]
                if j != ignore:
                    sums[a, b, 1, i] += counts[p]
                    sums[a, b, 2, j] += counts[p]
                    if i == j:
                        sums[a, b, 0, i] += counts[p]


@kernel
def coincidences(tuples, counts, ignore, values, conflicts):
    """Add up what Krippendorff's alpha needs of pixels that two workers or more labelled.

    Parameters
    ----------
    tuples : array (P, W)
    counts : array (P,), int64
    ignore : int
        A label that is no answer; -1 for none. Those from K on are none either.
    values : array (K,), int64, in and out
        Labels given, by class.
    conflicts : array (W + 1,), int64, in and out
        [m]: ordered pairs of different labels, at pixels that m workers labelled.
    """
    n_patterns, n_workers = tuples.shape
    n_classes = values.size
    for p in range(n_patterns):
        answers, different = 0, 0
        for a in range(n_workers):
            i = tuples[p, a]
            if i != ignore and i < n_classes:
                answers += 1
                for b in range(a + 1, n_workers):
                    j = tuples[p, b]
                    different += 2 * (j != ignore and j < n_classes and i != j)
        if answers >= 2:
            conflicts[answers] += counts[p] * different
            for a in range(n_workers):
                i = tuples[p, a]
                if i != ignore and i < n_classes:
                    values[i] += counts[p]


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

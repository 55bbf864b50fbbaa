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
        candidate = table[slot]
        equal = True
        for w in range(n_workers):
            equal &= tuples[candidate, w] == masks[w, p]
        if equal:
            return types.int64(candidate)
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

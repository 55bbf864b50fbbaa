"""Connected regions of a mask of booleans, by runs: 8-connected, in one pass over the pixels.

Rows are cut into runs of set pixels; a run is joined to those of the row above that it touches,
corners included, by union-find; the root of a region is its first run in reading order. The work
after the one vectorised pass grows with the runs, not with the pixels.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, changes, lowest_bit


@kernel
def _row_changes(row, start):
    """Bits of the pixels in start .. start + 63 of a row (Wd,) that differ from the one before."""
    if start > 0 and start + LANES <= row.size:
        return changes(row, start)
    bits = types.uint64(0)
    for i in range(min(LANES, row.size - start)):
        before = row[start + i - 1] if start + i > 0 else 0
        if row[start + i] != before:
            bits |= types.uint64(1) << types.uint64(i)
    return bits


@kernel
def find_runs(mask, rows, starts, ends):
    """Cut every row into runs of set pixels, in reading order.

    Parameters
    ----------
    mask : array (H, Wd), uint8
        0 or 1.
    rows, starts, ends : arrays (R,), int64, out
        Row of each run, its first column, and the one after its last.

    Returns
    -------
    int
        Number of runs, also where it is more than R; those beyond R are not written.
    """
    n = 0
    for y in range(mask.shape[0]):
        row = mask[y]
        inside = False
        for block in range(0, row.size, LANES):
            bits = _row_changes(row, block)
            while bits != 0:
                x = block + lowest_bit(bits)
                bits &= bits - types.uint64(1)
                if inside:
                    if n < rows.size:
                        ends[n] = x
                    n += 1
                elif n < rows.size:
                    rows[n], starts[n] = y, x
                inside = not inside
        if inside:
            if n < rows.size:
                ends[n] = row.size
            n += 1
    return n


@kernel
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def join_runs(rows, starts, ends, region):
    """Number the regions that runs (R,) form, in the order of their first runs.

    Parameters
    ----------
    rows, starts, ends : arrays (R,), int64
        As from `find_runs`.
    region : array (R,), int64, out
        Number of each run's region.

    Returns
    -------
    int
        Number of regions.
    """
    n = rows.size
    for i in range(n):
        region[i] = i
    above = 0
    for i in range(n):
        # the first run that may touch this one or a later one from above
        while above < i and (
            rows[above] < rows[i] - 1 or (rows[above] == rows[i] - 1 and ends[above] < starts[i])
        ):
            above += 1
        j = above
        while j < i and rows[j] == rows[i] - 1 and starts[j] <= ends[i]:
            a, b = _root(region, i), _root(region, j)
            region[max(a, b)] = min(a, b)
            j += 1
    count = 0
    for i in range(n):
        # a parent comes before its runs, and holds its region's number already
        if region[i] == i:
            region[i] = count
            count += 1
        else:
            region[i] = region[region[i]]
    return count


@kernel
def measure(rows, starts, ends, region, area, box):
    """Pixels of each region, and its box.

    Parameters
    ----------
    rows, starts, ends, region : arrays (R,), int64
    area : array (N,), int64, zeros, in and out
    box : array (N, 4), int64, out
        Top row, left column, and the row and column after the last.
    """
    for i in range(rows.size):
        label = region[i]
        if area[label] == 0:
            box[label, 0], box[label, 1], box[label, 3] = rows[i], starts[i], ends[i]
        area[label] += ends[i] - starts[i]
        box[label, 1] = min(box[label, 1], starts[i])
        box[label, 2] = rows[i] + 1
        box[label, 3] = max(box[label, 3], ends[i])


@kernel
def count_labels(labels, width, rows, starts, ends, rank_of, ignore, counts):
    """Pixels of one mask by region and class.

    Parameters
    ----------
    labels : array (H * width,)
    width : int
    rows, starts, ends : arrays (R,), int64
    rank_of : array (R,), int64
        Row of `counts` for each run; -1 for a run that is not counted.
    ignore : int
        A label that is no class; -1 for none.
    counts : array (N, K), int64, in and out
        Labels from K on are left out.
    """
    for i in range(rows.size):
        if rank_of[i] < 0:
            continue
        own = counts[rank_of[i]]
        start = rows[i] * width
        same_from, last = start + starts[i], start + ends[i]
        for block in range(same_from + 1, last, LANES):
            bits = _row_changes(labels, block)
            if last - block < LANES:
                bits &= (types.uint64(1) << types.uint64(last - block)) - types.uint64(1)
            while bits != 0:
                p = block + lowest_bit(bits)
                bits &= bits - types.uint64(1)
                _count(labels[same_from], p - same_from, ignore, own)
                same_from = p
        _count(labels[same_from], last - same_from, ignore, own)


@kernel
def _count(label, pixels, ignore, counts):
    if label != ignore and label < counts.size:
        counts[label] += pixels

"""Outlines of two masks along rows: how far one lies from the other, edge by edge."""

from __future__ import annotations

from consolidation.kernels._jit import kernel

REACH = 5
"""Pixels along a row within which an edge of another mask is looked for."""
SPAN = 3
"""Rows up and down over which an outer edge must stick out furthest."""
LEFT, RIGHT, INNER = 0, 1, 2
"""Kinds of edges: where foreground begins, where it ends, where a class changes into another."""
N_BINS = 2 * REACH + 2


@kernel
def mark_edges(row, ignore, codes):
    """Write the kind of edge plus 1 between every two pixels of a row, 0 where there is none.

    Parameters
    ----------
    row : array (Wd,)
    ignore : int
        A label beside which nothing is an edge; -1 for none.
    codes : array (Wd,), uint8, out
        [x]: the edge between pixels x - 1 and x.
    """
    codes[0] = 0
    for x in range(1, row.size):
        before, after = row[x - 1], row[x]
        if (before == after) | (before == ignore) | (after == ignore):
            codes[x] = 0
        elif before == 0:
            codes[x] = LEFT + 1
        elif after == 0:
            codes[x] = RIGHT + 1
        else:
            codes[x] = INNER + 1


@kernel
def goes_on(mask, row, x, code):
    """Whether the edge left of column x goes on, within a pixel, in both neighbouring rows."""
    height, width = mask.shape
    if row == 0 or row + 1 == height:
        return False
    for other in (row - 1, row + 1):
        same = False
        for y in range(max(x - 1, 1), min(x + 2, width)):
            before, after = mask[other, y - 1], mask[other, y]
            if code == LEFT + 1:
                same = same or (before == 0 and after != 0)
            elif code == RIGHT + 1:
                same = same or (before != 0 and after == 0)
            else:
                same = same or (min(before, after) > 0 and before != after)
        if not same:
            return False
    return True


@kernel
def sticks_out(mask, row, outside):
    """Whether column `outside` of a mask (H, Wd) is background over `SPAN` rows up and down."""
    for other in range(max(row - SPAN, 0), min(row + SPAN + 1, mask.shape[0])):
        if mask[other, outside] != 0:
            return False
    return True


@kernel
def offsets(masks, ignore, step, codes, nearest, counts):
    """Count, for every two workers, how far the second's edge lies from each edge of the first.

    Outer edges count where they stick out furthest among their neighbours: whatever symmetrical
    brush a mask is grown with, such an edge moves along the row by the brush's reach exactly.
    Edges of single pixels, which do not go on in the next rows, are noise and do not count.
    Edges that more than half of the other workers have at the very same pixel tell nothing.

    Parameters
    ----------
    masks : array (W, H, Wd)
    ignore : int
        A label that is no vote; -1 for none.
    step : int
        Every so many rows one is read.
    codes : array (W, Wd), uint8, scratch
    nearest : array (W,), int64, scratch
    counts : array (W, W, 3, 2 * REACH + 2), int64, in and out
        [a, b, kind, REACH + d]: edges of a whose nearest edge of the same kind in b lies d pixels
        to the right; the last bin: those with none within `REACH`.
    """
    n_workers, height, width = masks.shape
    for row in range(step // 2, height, step):
        for a in range(n_workers):
            mark_edges(masks[a, row], ignore, codes[a])
        for a in range(n_workers):
            for x in range(1, width):
                code = codes[a, x]
                if code == 0:
                    continue
                if code != INNER + 1 and not sticks_out(
                    masks[a], row, x if code == RIGHT + 1 else x - 1
                ):
                    continue
                if not goes_on(masks[a], row, x, code):
                    continue
                same = 0
                for b in range(n_workers):
                    nearest[b] = REACH + 1
                    for d in range(REACH + 1):
                        if x + d < width and codes[b, x + d] == code:
                            nearest[b] = d
                            break
                        if x - d > 0 and codes[b, x - d] == code:
                            nearest[b] = -d
                            break
                    same += nearest[b] == 0
                # a's own edge is one of the same
                same -= 1
                for b in range(n_workers):
                    if b != a and 2 * (same - (nearest[b] == 0)) <= n_workers - 2:
                        counts[a, b, code - 1, REACH + nearest[b]] += 1

"""Where a class is thin: what smoothing would melt, or let grow, is left to the vote.

A class is thin at a pixel if no square of 2 r + 3 pixels that is all of the class, in the vote as
it was, touches the pixel's window (2 r + 1 pixels wide): so are lines and dots that are narrower
than such a square, and arms of larger things where they leave them; bumps of a border are not. A
square's middle lies in the image. Sixteen pixels are looked at together, as bits.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import counting_no_references, part
from consolidation.kernels._lanes import LANES, copy_lanes, equal_to, lowest_bit

MAX_RADIUS = 7
"""Windows of a larger radius are taken for one of this: what is looked at fits 64 bits."""
ALL = types.uint64(0xFFFFFFFFFFFFFFFF)


def reach(radius: int) -> int:
    """How far from a pixel labels are looked at, for a window of that radius.

    Examples
    --------
    >>> reach(2)
    8
    """
    return 3 * min(radius, MAX_RADIUS) + 2


@part
def keep_rows(labels, ring, kept, height, width, y, far):
    """Copy rows y - far .. y + far of the labels that the ring lacks, before they change.

    Parameters
    ----------
    labels : array (H * Wd,)
    ring : array ((2 far + 1) * (Wd + 2 far + LANES),), in and out
    kept : array (1,), int64, in and out
        The last row that the ring has.
    """
    n, pitch = 2 * far + 1, width + 2 * far + LANES
    for row in range(max(kept[0] + 1, y - far, 0), min(y + far + 1, height)):
        target, start = row % n * pitch + far, row * width
        # what is copied beyond the row lies in the margin
        for x in range(0, width, LANES):
            if start + x + LANES <= labels.size:
                copy_lanes(labels, start + x, ring, target + x)
            else:
                for i in range(x, width):
                    ring[target + i] = labels[start + i]
        kept[0] = row


@counting_no_references
def thin_bits(ring, height, width, y, x, radius, label, rows):
    """`_thin_bits`, in code of its own for the window of sigma 1, which is nearly always meant."""
    if radius == 2:
        return _thin_bits(ring, height, width, y, x, 2, label, rows)
    return _thin_bits(ring, height, width, y, x, radius, label, rows)


@part
def _thin_bits(ring, height, width, y, x, radius, label, rows):
    """Bits of the pixels from (y, x) on at which a class is thin; the first 16 are meant.

    Parameters
    ----------
    ring : array ((2 far + 1) * (Wd + 2 far + LANES),)
        As `keep_rows` left it, from row y on.
    radius : int
        At most `MAX_RADIUS`.
    label : int
    rows : array (2 far + 1,), uint64, scratch
    """
    side, far, n = 2 * radius + 3, 3 * radius + 2, 6 * radius + 5
    pitch = width + 2 * far + LANES
    # bit i is column x - far + i
    inside = ALL
    if x < far:
        inside &= ALL << types.uint64(far - x)
    if x - far + LANES > width:
        inside &= ALL >> types.uint64(x - far + LANES - width)
    for i in range(n):
        row = y - far + i
        bits = ALL
        if 0 <= row < height:
            bits = equal_to(ring, row % n * pitch + x, label) | ~inside
        rows[i] = bits
    # bit i of row k becomes true if it is for all of the square from there on
    span = 1
    while span < side:
        step = min(span, side - span)
        for i in range(n - step):
            rows[i] &= rows[i + step]
            rows[i] &= rows[i] >> types.uint64(step)
        span += step
    squares = types.uint64(0)
    for i in range(n - side + 1):
        if 0 <= y - far + i + side // 2 < height:
            squares |= rows[i]
    squares &= inside >> types.uint64(side // 2)
    span = 1
    while span < far + radius + 1:
        step = min(span, far + radius + 1 - span)
        squares |= squares >> types.uint64(step)
        span += step
    return ~squares


@counting_no_references
def left_to_vote(labels, close, chosen, changing, ring, height, width, y, x, radius, rows):
    """Bits of those of 16 pixels that keep their class: it, or the one chosen, is thin there.

    Parameters
    ----------
    labels, close : arrays (H * Wd,)
        The vote, and where it has nothing to say.
    chosen : array (16,), int32
        The class chosen for each pixel from (y, x) on, or -1.
    changing : uint64
        Bits of the pixels that would get another class.
    """
    first = y * width + x
    kept = types.uint64(0)
    for own in (True, False):
        left = changing & ~kept
        while left != 0:
            i = lowest_bit(left)
            label = types.int64(labels[first + i]) if own else types.int64(chosen[i])
            same, rest = types.uint64(0), left
            while rest != 0:
                j = lowest_bit(rest)
                bit = types.uint64(1) << types.uint64(j)
                rest ^= bit
                other = types.int64(labels[first + j]) if own else types.int64(chosen[j])
                if other == label:
                    left ^= bit
                    if close[first + j] == 0:
                        same |= bit
            if same != 0 and label >= 0:
                kept |= same & thin_bits(ring, height, width, y, x, radius, label, rows)
    return kept

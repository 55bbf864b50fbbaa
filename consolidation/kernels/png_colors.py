"""Rows of RGB or RGBA pixels to class indices, by a hash table of the colours known.

Masks repeat: blocks of 64 pixels equal to those above copy what those became, and in others only
the first pixel of a run of equal ones is looked up.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, lowest_bit
from consolidation.kernels._words import WORD, copy_block, differences, load_word
from consolidation.kernels.colors import free_slot

MARGIN = WORD
"""Bytes that the buffer must have beyond the last row."""
MIXED, NEVER = -1, -2


@kernel
def map_rows(
    buffer, start, line, channels, n_rows, top, row, x, keys, table, counting, counts, above, out
):
    """Write the value of each pixel's colour, and count pixels by colour.

    Parameters
    ----------
    buffer : array (B,), uint8
        From `start` on rows of `line` bytes, of which the first is left out; the row above the
        first lies before them. B >= start + n_rows * line + MARGIN.
    start, line : int
    channels : int
        3 (RGB) or 4 (RGBA).
    n_rows, top : int
        Number of rows, and the row of `out` that the first of them is.
    row, x : int
        Pixel to begin with, of the rows in the buffer.
    keys : array (size a power of two,), int64
        Known colours as R + 256 G + 65536 B + 16777216 A; -1 is free.
    table : array (size,), dtype of `out`
        Value of each colour.
    counting : bool
        Whether any known colour's pixels must be counted.
    counts : array (size,), int64, in and out
        Exact for colours that were known, and `counting` set, since they were first met.
    above : array (ceil(Wd / 64),), int64, in and out
        Slot of the one colour of each block of the row above; MIXED for several, NEVER where
        nothing is known of it.
    out : array (H, Wd), out

    Returns
    -------
    (int, int, int)
        `n_rows`, 0 and 0, or row and column of the first pixel whose colour is not known, and the
        slot where it belongs.
    """
    width = out.shape[1]
    for y in range(row, n_rows):
        first = start + y * line + 1
        target = out[top + y]
        begin = x if y == row else 0
        while begin < width:
            block = begin // LANES
            end = min((block + 1) * LANES, width)
            whole = end - begin == LANES
            copied = whole and above[block] != NEVER and not (counting and above[block] == MIXED)
            if copied and _same_above(buffer, first, begin, line, channels):
                copy_block(out[top + y - 1], begin, target, begin)
                if above[block] != MIXED:
                    counts[above[block]] += LANES
                begin = end
                continue
            begin, slot, known = _map_block(
                buffer, first, begin, end, channels, keys, table, counts, target
            )
            if not known:
                above[block] = MIXED
                return y, begin, slot
            # what began in the middle of a block tells nothing of its beginning
            above[block] = slot if whole else MIXED
    return n_rows, 0, types.int64(0)


@kernel
def _same_above(buffer, first, x, line, channels):
    """Whether 64 pixels equal those of the row above."""
    place = first + x * channels
    bits = types.uint64(0)
    for i in range(channels):
        at = place + i * LANES
        bits |= differences(buffer, at, buffer, at - line)
    return bits == 0


@kernel
def _key(buffer, place, channels):
    word = load_word(buffer, place)
    if channels == 4:
        return types.int64(word & types.uint64(0xFFFFFFFF))
    return types.int64(word & types.uint64(0xFFFFFF)) | types.int64(0xFF000000)


@kernel
def _map_block(buffer, first, begin, end, channels, keys, table, counts, target):
    """Map pixels begin .. end - 1 of a row; where it ended, a slot, and whether all was known."""
    start = begin
    key = _key(buffer, first + begin * channels, channels)
    slot = free_slot(keys, key)
    if keys[slot] != key:
        return begin, slot, False
    only = slot
    at = first + begin * channels
    stop = first + end * channels
    while at < stop:
        bits = _boundaries(buffer, at, stop, channels)
        while bits != 0:
            x = (at - first + lowest_bit(bits)) // channels
            bits &= bits - types.uint64(1)
            if x <= start:
                continue
            for i in range(start, x):
                target[i] = table[slot]
            counts[slot] += x - start
            start = x
            key = _key(buffer, first + x * channels, channels)
            slot = free_slot(keys, key)
            if keys[slot] != key:
                return x, slot, False
            only = types.int64(MIXED)
        at += LANES
    for i in range(start, end):
        target[i] = table[slot]
    counts[slot] += end - start
    return end, only, True


@kernel
def _boundaries(buffer, at, stop, channels):
    """Bits of the bytes at .. at + 63, before `stop`, that differ from the pixel before."""
    if at + LANES <= stop:
        return differences(buffer, at, buffer, at - channels)
    bits = types.uint64(0)
    for i in range(stop - at):
        if buffer[at + i] != buffer[at + i - channels]:
            bits |= types.uint64(1) << types.uint64(i)
    return bits

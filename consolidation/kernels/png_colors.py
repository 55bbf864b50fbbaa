"""Rows of RGB or RGBA pixels to class indices, by a hash table of the colours known.

Masks repeat: blocks of 64 pixels equal to those above copy what those became, and count what those
counted; in others only the first pixel of a run of equal ones is looked up.
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, lowest_bit
from consolidation.kernels._words import WORD, copy_block, differences, fill_block, load_word
from consolidation.kernels.colors import free_slot

MARGIN = WORD
"""Bytes that the buffer must have beyond the last row."""
MAX_RUNS = 8
"""Runs of a block that are remembered for the row below; other blocks are mapped again."""
N_ABOVE = 1 + 2 * MAX_RUNS


@kernel
def map_rows(buffer, start, line, channels, n_rows, top, row, x, keys, table, counts, above, out):
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
    counts : array (size,), int64, in and out
    above : array (ceil(Wd / 64), N_ABOVE), int64, in and out
        Runs of each block of the row above: their number, 0 where nothing is known of it, then
        slot and pixels of each. Begin with zeros, and again when slots have changed.
    out : array (H, Wd), out

    Returns
    -------
    (int, int, int)
        `n_rows`, 0 and 0, or row and column of the first pixel whose colour is not known, and the
        slot where it belongs.
    """
    width = out.shape[1]
    # slices cost more than what is done with 64 pixels
    flat, known_runs = out.reshape(-1), above.reshape(-1)
    for y in range(row, n_rows):
        first = start + y * line + 1
        target = (top + y) * width
        begin = x if y == row else 0
        while begin < width:
            block = begin // LANES
            runs = block * N_ABOVE
            end = min((block + 1) * LANES, width)
            whole = end - begin == LANES
            known = whole and known_runs[runs] > 0
            if known and _same_above(buffer, first + begin * channels, line, channels):
                copy_block(flat, target + begin - width, flat, target + begin)
                for i in range(runs + 1, runs + 1 + 2 * known_runs[runs], 2):
                    counts[known_runs[i]] += known_runs[i + 1]
                begin = end
                continue
            begin, slot, known = _map_block(
                buffer,
                first,
                begin,
                end,
                channels,
                keys,
                table,
                counts,
                known_runs,
                runs,
                flat,
                target,
            )
            if not whole or not known:
                # what begins or ends in the middle of a block tells only of a part
                known_runs[runs] = 0
            if not known:
                return y, begin, slot
    return n_rows, 0, types.int64(0)


@kernel
def _same_above(buffer, offset, line, channels):
    """Whether 64 pixels from buffer[offset] on equal those of the row above."""
    bits = types.uint64(0)
    for i in range(channels):
        at = offset + i * LANES
        bits |= differences(buffer, at, buffer, at - line)
    return bits == 0


@kernel
def _key(buffer, offset, channels):
    if channels == 4:
        return types.int64(load_word(buffer, offset) & types.uint64(0xFFFFFFFF))
    return types.int64(load_word(buffer, offset) & types.uint64(0xFFFFFF)) | 0xFF000000


@kernel
def _pixel_of(n_bytes, channels):
    """Whole pixels of so many bytes, fewer than 65,536."""
    # 2 ** 17 / 3, rounded up: a division takes ten times as long
    return n_bytes >> 2 if channels == 4 else n_bytes * 43691 >> 17


@kernel
def _map_block(
    buffer, first, begin, end, channels, keys, table, counts, known_runs, runs, out, target
):
    """Map pixels begin .. end - 1 of a row; where it ended, a slot, and whether all was known."""
    start, n_runs = begin, 0
    offset = first + begin * channels
    key = _key(buffer, offset, channels)
    slot = free_slot(keys, key)
    if keys[slot] != key:
        return begin, slot, False
    at, stop = 0, (end - begin) * channels
    while at < stop:
        bits = _boundaries(buffer, offset + at, offset + stop, channels)
        if at == 0:
            # the first pixel begins a run whatever lies before it
            bits &= ~types.uint64((1 << channels) - 1)
        while bits != 0:
            x = begin + _pixel_of(at + lowest_bit(bits), channels)
            bits &= bits - types.uint64(1)
            if x == start:
                # another channel of the same pixel
                continue
            _end_run(start, x, slot, table, counts, out, target)
            _remember(known_runs, runs, n_runs, slot, x - start)
            n_runs += 1
            start = x
            key = _key(buffer, first + x * channels, channels)
            slot = free_slot(keys, key)
            if keys[slot] != key:
                return x, slot, False
        at += LANES
    _end_run(start, end, slot, table, counts, out, target)
    _remember(known_runs, runs, n_runs, slot, end - start)
    known_runs[runs] = n_runs + 1 if n_runs < MAX_RUNS else 0
    return end, slot, True


@kernel
def _end_run(start, end, slot, table, counts, out, target):
    """Write and count a run of pixels start .. end - 1 of the row at out[target]."""
    if target + start + LANES <= out.size:
        # what is too much is overwritten by the next run, or the next row
        fill_block(out, target + start, table[slot])
    else:
        for i in range(start, end):
            out[target + i] = table[slot]
    counts[slot] += end - start


@kernel
def _remember(known_runs, runs, n_runs, slot, pixels):
    if n_runs < MAX_RUNS:
        known_runs[runs + 1 + 2 * n_runs] = slot
        known_runs[runs + 2 + 2 * n_runs] = pixels


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

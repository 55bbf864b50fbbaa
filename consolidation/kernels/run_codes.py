"""Pixels to run lengths, and these to the codes of COCO and Label Studio: what `runs` decodes."""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel
from consolidation.kernels.runs import BRUSH_HEADER_BITS

BLOCK_BITS = 16
"""Of the count of a block of a brush: the largest of its four sizes."""
BLOCK = 1 << BLOCK_BITS
"""Most values of a block of a brush."""
REPEAT_BITS = 1 + 2 + BLOCK_BITS + 8
"""A block of one repeated value: flag, which size, count, value."""


@kernel
def turn_lengths(rows, starts, ends, top, left, width, size, counts):
    """Lengths by turns outside and inside, of runs of rows, within a box.

    Runs that touch from the end of a row to the beginning of the next become one.

    Parameters
    ----------
    rows, starts, ends : arrays (R,), int64
        In reading order, as from `regions.find_runs`.
    top, left, width : int
        Of the box, which holds all of the runs.
    size : int
        Pixels of the box.
    counts : array (2 R + 1,), int64, out

    Returns
    -------
    int
        Number of lengths; they are `size` together.
    """
    n, at = types.int64(0), types.int64(0)
    for i in range(rows.size):
        begin = (rows[i] - top) * width + starts[i] - left
        length = ends[i] - starts[i]
        if n and begin == at:
            counts[n - 1] += length
        else:
            counts[n], counts[n + 1] = begin - at, length
            n += 2
        at = begin + length
    if at < size or n == 0:
        counts[n] = size - at
        n += 1
    return n


@kernel
def coco_text(counts, text):
    """Write lengths in COCO's compressed code: see `runs.coco_counts`.

    Parameters
    ----------
    counts : array (R,), int64
        None below 0, nor above 2**50.
    text : array (11 R,), uint8, out

    Returns
    -------
    int
        Characters written.
    """
    n = types.int64(0)
    for i in range(counts.size):
        number = counts[i] - counts[i - 2] if i > 2 else counts[i]
        more = True
        while more:
            digit = number & 0x1F
            number >>= 5
            more = number != (-1 if digit & 0x10 else 0)
            text[n] = digit + 48 + (0x20 if more else 0)
            n += 1
    return n


@kernel
def write_bits(data, at, n, value):
    """Write the `n` lowest bits of a value into a big-endian stream from bit `at` on.

    Parameters
    ----------
    data : array (N,), uint8, in and out
        Zeros from bit `at` on.
    at, n, value : int

    Returns
    -------
    int
        The bit behind the last.
    """
    left = n
    while left > 0:
        room = 8 - (at & 7)
        taken = min(room, left)
        part = (value >> (left - taken)) & ((1 << taken) - 1)
        data[at >> 3] |= types.uint8(part << (room - taken))
        at += taken
        left -= taken
    return at


@kernel
def brush_blocks(counts, painted, data):
    """Write lengths of pixels as the blocks of a brush of Label Studio: see `runs.brush_alpha`.

    Every block is one value repeated, 4 times a pixel; all have counts of `BLOCK_BITS`.

    Parameters
    ----------
    counts : array (R,), int64
        By turns of value 0 and `painted`.
    painted : int
        1 to 255.
    data : array (N,), uint8, zeros, in and out
        From `BRUSH_HEADER_BITS` on, with `REPEAT_BITS` for each block.

    Returns
    -------
    int
        Bits written, with those of the header.
    """
    at = types.int64(BRUSH_HEADER_BITS)
    for i in range(counts.size):
        left = 4 * counts[i]
        while left > 0:
            block = min(left, BLOCK)
            at = write_bits(data, at, 3, 7)
            at = write_bits(data, at, BLOCK_BITS, block - 1)
            at = write_bits(data, at, 8, painted if i & 1 else 0)
            left -= block
    return at

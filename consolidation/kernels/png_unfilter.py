"""PNG's filters undone, in place: each byte was stored as its difference from a prediction.

The filters are those of PNG 1.2, chapter 6. A mask's rows repeat each other and themselves, so
most differences are 0, and for whole words of zeros the prediction is one of two things. Where
the pixel to the left equals the one above it (its "corner"), Paeth predicts the byte above, and
the next pixel is in the same case; where all of the row above equals the corner, Paeth predicts
the byte to the left, as Sub does. Both follow from the definition, so the bytes are the same.
"""

from __future__ import annotations

import numpy as np
from numba import types

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES
from consolidation.kernels._words import WORD, add_block, any_set, copy_block, load_word, store_word

NONE, SUB, UP, AVERAGE, PAETH = range(5)


@kernel
def unfilter(buffer, start, line, n_rows, bpp):
    """Undo the filters of rows of bytes.

    Parameters
    ----------
    buffer : array (B,), uint8, in and out
        From `start` on rows of `line` bytes, of which the first is the filter's number; the row
        above the first lies before them. B >= start + n_rows * line.
    start, line, n_rows : int
        start >= line > bpp.
    bpp : int
        Bytes from a pixel to the next: 1 for pixels smaller than that; 1 to 4.

    Returns
    -------
    int
        The first row with an unknown filter, where the work ends; `n_rows` if there is none.
    """
    for row in range(n_rows):
        first = start + row * line + 1
        last = first + line - 1
        kind = buffer[first - 1]
        if kind == UP:
            _up(buffer, first, last, line)
        elif kind == PAETH:
            _paeth(buffer, first, last, line, bpp)
        elif kind == SUB:
            _sub(buffer, first, last, bpp)
        elif kind == AVERAGE:
            _average(buffer, first, last, line, bpp)
        elif kind != NONE:
            return row
    return n_rows


@kernel
def _up(buffer, first, last, line):
    at = first
    while at + LANES <= last:
        add_block(buffer, at, at - line)
        at += LANES
    while at < last:
        buffer[at] += buffer[at - line]
        at += 1


@kernel
def _sub(buffer, first, last, bpp):
    at = first + bpp
    while at < last:
        if at + WORD <= last and load_word(buffer, at) == 0:
            at = _repeat(buffer, at, last, bpp)
            continue
        stop = min(at + WORD, last)
        while at < stop:
            buffer[at] += buffer[at - bpp]
            at += 1


@kernel
def _average(buffer, first, last, line, bpp):
    for at in range(first, min(first + bpp, last)):
        buffer[at] += buffer[at - line] >> 1
    for at in range(first + bpp, last):
        above = types.int64(buffer[at - line])
        buffer[at] += np.uint8((types.int64(buffer[at - bpp]) + above) >> 1)


@kernel
def _paeth(buffer, first, last, line, bpp):
    for at in range(first, min(first + bpp, last)):
        buffer[at] += buffer[at - line]
    at = first + bpp
    while at < last:
        if at + WORD <= last and load_word(buffer, at) == 0:
            if _equal_pixels(buffer, at - bpp, at - bpp - line, bpp):
                at = _copy_above(buffer, at, last, line)
                continue
            if _constant_above(buffer, at, line, bpp):
                at = _repeat(buffer, at, at + WORD, bpp)
                continue
        stop = min(at + WORD, last)
        while at < stop:
            left, above = types.int64(buffer[at - bpp]), types.int64(buffer[at - line])
            corner = types.int64(buffer[at - line - bpp])
            to_left, to_above = abs(above - corner), abs(left - corner)
            to_corner = abs(left + above - 2 * corner)
            predicted = corner
            if to_left <= to_above and to_left <= to_corner:
                predicted = left
            elif to_above <= to_corner:
                predicted = above
            buffer[at] += np.uint8(predicted)
            at += 1


@kernel
def _equal_pixels(buffer, start, other, bpp):
    equal = True
    for i in range(bpp):
        equal &= buffer[start + i] == buffer[other + i]
    return equal


@kernel
def _copy_above(buffer, at, last, line):
    """Copy the row above for as long as there are zeros; the byte to go on with."""
    while at + LANES <= last and not any_set(buffer, at):
        copy_block(buffer, at - line, buffer, at)
        at += LANES
    while at + WORD <= last and load_word(buffer, at) == 0:
        store_word(buffer, at, load_word(buffer, at - line))
        at += WORD
    return at


@kernel
def _constant_above(buffer, at, line, bpp):
    """Whether the eight bytes above repeat the pixel before them."""
    return load_word(buffer, at - line) == load_word(buffer, at - line - bpp)


@kernel
def _repeat(buffer, at, last, bpp):
    """Repeat the pixel to the left for as long as there are zeros; the byte to go on with."""
    while at + WORD <= last and load_word(buffer, at) == 0:
        if bpp == 1:
            word = types.uint64(buffer[at - 1]) * types.uint64(0x0101010101010101)
            store_word(buffer, at, word)
        else:
            for i in range(at, at + WORD):
                buffer[i] = buffer[i - bpp]
        at += WORD
    return at

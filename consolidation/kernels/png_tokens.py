"""Rows of bytes to the tokens of a PNG's compressed stream: literals, and runs of one byte.

A row is stored as its differences from the row above (PNG's filter 2, Up). Of a mask nearly all
are 0, and the stream of differences is never made: 64 pixels are compared at once with those
above, and what lies between two pixels that differ is one run. Runs become one literal and matches
at distance 1, the only ones that there are; so zlib's strategy Z_RLE works.
"""

from __future__ import annotations

import numpy as np
from numba import types

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, lowest_bit
from consolidation.kernels._words import differences

UP = 2
"""Number of the filter."""
LITERALS = 256
"""Tokens below are bytes; token LITERALS + n repeats the byte before MIN_MATCH + n times."""
MIN_MATCH, MAX_MATCH = 3, 258
N_TOKENS = LITERALS + MAX_MATCH - MIN_MATCH + 1
ADLER = 65521


@kernel
def tokenize(above, rows, table, top, tokens, adler, frequencies):
    """Write the tokens of some rows.

    Parameters
    ----------
    above : array (Wd,), uint8
        The row above the first, if there is one.
    rows : array (R, Wd), uint8
        C-contiguous.
    table : array (256,), uint8
        What is stored for each value, of `above` too.
    top : bool
        Whether these rows are the first of a picture: zeros are stored above them.
    tokens : array (T,), uint16, out
        T >= R * (Wd + 1).
    adler : array (2,), uint64, in and out
        The two sums of Adler-32 of the differences. Begin with 1 and 0.
    frequencies : array (N_TOKENS,), int64, in and out
        How often each token occurs.

    Returns
    -------
    int
        Number of tokens.
    """
    n_rows, width = rows.shape
    n, byte, run = 0, types.int64(-1), 0
    s1, s2 = adler[0], adler[1]
    last = above
    for y in range(n_rows):
        row = rows[y]
        n, byte, run = _add(tokens, n, byte, run, UP, 1)
        s1 += types.uint64(UP)
        s2 += s1
        done = 0
        for x in range(0, width, LANES):
            bits = _differences(row, last, x) if y > 0 or not top else _all(width - x)
            while bits != 0:
                p = x + lowest_bit(bits)
                bits &= bits - types.uint64(1)
                if p > done:
                    n, byte, run = _add(tokens, n, byte, run, 0, p - done)
                    s2 += types.uint64(p - done) * s1
                before = table[last[p]] if y > 0 or not top else np.uint8(0)
                difference = types.int64(np.uint8(table[row[p]] - before))
                n, byte, run = _add(tokens, n, byte, run, difference, 1)
                s1 += types.uint64(difference)
                s2 += s1
                done = p + 1
        if width > done:
            n, byte, run = _add(tokens, n, byte, run, 0, width - done)
            s2 += types.uint64(width - done) * s1
        s1 %= types.uint64(ADLER)
        s2 %= types.uint64(ADLER)
        last = row
    n = _close(tokens, n, byte, run)
    adler[0], adler[1] = s1, s2
    for i in range(n):
        frequencies[tokens[i]] += 1
    return n


@kernel
def _all(n):
    """Bits of the first n pixels of 64."""
    ones = ~types.uint64(0)
    return ones if n >= LANES else ones >> types.uint64(LANES - n)


@kernel
def _differences(row, last, x):
    """Bits of the pixels x .. x + 63 that differ from those above."""
    if x + LANES <= row.size:
        return differences(row, x, last, x)
    bits = types.uint64(0)
    for i in range(row.size - x):
        if row[x + i] != last[x + i]:
            bits |= types.uint64(1) << types.uint64(i)
    return bits


@kernel
def _add(tokens, n, byte, run, value, times):
    """Add `times` bytes of a value: to the run that is open, or to a new one."""
    if value == byte:
        return n, byte, run + times
    return _close(tokens, n, byte, run), types.int64(value), times


@kernel
def _close(tokens, n, byte, run):
    """Write the tokens of a run of bytes; the number of tokens."""
    if run == 0:
        return n
    tokens[n] = byte
    n += 1
    rest = run - 1
    while rest >= MIN_MATCH:
        length = min(rest, MAX_MATCH)
        tokens[n] = LITERALS + length - MIN_MATCH
        n += 1
        rest -= length
    for _ in range(rest):
        tokens[n] = byte
        n += 1
    return n

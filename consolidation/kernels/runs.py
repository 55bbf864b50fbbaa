"""Run lengths to pixels: brushes of Label Studio, masks of CVAT, COCO and Darwin."""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel

BRUSH_HEADER_BITS = 53
"""A count of 32 bits, the word's size of 5, four sizes of 4."""


@kernel
def read_bits(data, at, n):
    """Return `n` bits, at most 32, of a big-endian stream from bit `at` on.

    Parameters
    ----------
    data : array (N,), uint8
        The stream, and 8 bytes behind it.
    at, n : int
    """
    byte = at >> 3
    window = types.uint64(0)
    for i in range(8):
        window = (window << types.uint64(8)) | types.uint64(data[byte + i])
    window <<= types.uint64(at & 7)
    return types.int64(window >> types.uint64(64 - n)) if n else types.int64(0)


@kernel
def brush_alpha(data, n_bits, values, alpha, sizes):
    """Decode the alpha channel of a brush of Label Studio.

    The stream is RGBA, value by value, in blocks: one bit says whether a block is one value
    repeated, two bits which of four sizes its count has, then the count less one and the values.

    Parameters
    ----------
    data : array (N,), uint8
        The stream, and 8 bytes behind it.
    n_bits : int
        Bits of the stream.
    values : int
        Values that it must hold: 4 a pixel.
    alpha : array (values // 4,), uint8, out
        Start with zeros.
    sizes : array (4,), int64, scratch

    Returns
    -------
    (int, int, int)
        Bits used, or -1 where the stream ends too early; the first pixel set, and the one behind
        the last.
    """
    for k in range(4):
        sizes[k] = read_bits(data, 37 + 4 * k, 4) + 1
    at, i = BRUSH_HEADER_BITS, types.int64(0)
    first, last = alpha.size, 0
    while i < values:
        if at + 3 > n_bits:
            return types.int64(-1), first, last
        head = read_bits(data, at, 3)
        size = sizes[head & 3]
        at += 3
        if at + size > n_bits:
            return types.int64(-1), first, last
        count = min(read_bits(data, at, size) + 1, values - i)
        at += size
        begin, end = i >> 2, (i + count) >> 2
        if head & 4:
            if at + 8 > n_bits:
                return types.int64(-1), first, last
            value = read_bits(data, at, 8)
            at += 8
            if value and begin < end:
                alpha[begin:end] = value
                first = min(first, begin)
                last = end
        else:
            if at + 8 * count > n_bits:
                return types.int64(-1), first, last
            for p in range(begin, end):
                value = read_bits(data, at + 8 * (4 * p + 3 - i), 8)
                if value:
                    alpha[p] = value
                    first, last = min(first, p), p + 1
            at += 8 * count
        i += count
    return at, first, last


@kernel
def fill_runs(counts, out):
    """Fill runs that are by turns outside and inside, the first one outside.

    Parameters
    ----------
    counts : array (R,), int64
        Lengths, none below 0, together the size of `out`.
    out : array (N,), uint8, out
        1 inside. Start with zeros.

    Returns
    -------
    (int, int)
        The first place inside, and the one behind the last.
    """
    at, first, last = types.int64(0), out.size, types.int64(0)
    for k in range(counts.size):
        end = at + counts[k]
        if k & 1 and end > at:
            for p in range(at, end):
                out[p] = 1
            first, last = min(first, at), end
        at = end
    return first, last


@kernel
def fill_dense(pairs, wanted, out):
    """Fill the runs of one value, of a list of values and lengths.

    Parameters
    ----------
    pairs : array (R, 2), int64
        Value and length; no length is below 0, together they are the size of `out`.
    wanted : int
    out : array (N,), uint8, out
        1 where the value is. Start with zeros.

    Returns
    -------
    (int, int)
        The first place filled, and the one behind the last.
    """
    at, first, last = types.int64(0), out.size, types.int64(0)
    for k in range(pairs.shape[0]):
        end = at + pairs[k, 1]
        if pairs[k, 0] == wanted and end > at:
            for p in range(at, end):
                out[p] = 1
            first, last = min(first, at), end
        at = end
    return first, last


@kernel
def coco_counts(text, counts):
    """Decode the lengths of a compressed run-length code of COCO.

    A number is written in characters of 5 bits, the lowest first: character - 48, of which bit
    0x20 says that more follow, and bit 0x10 of the last is the sign. From the fourth number on
    it is the difference to the number two before.

    Parameters
    ----------
    text : array (N,), uint8
    counts : array (N,), int64, out

    Returns
    -------
    int
        Numbers written, or -1 less the place where the text is no such code.
    """
    n, at = types.int64(0), types.int64(0)
    while at < text.size:
        begin, number, shift, more = at, types.int64(0), types.int64(0), True
        while more:
            if at >= text.size or shift > 50:
                return -1 - begin
            c = types.int64(text[at]) - 48
            if c < 0 or c > 63:
                return -1 - at
            number |= (c & 0x1F) << shift
            shift += 5
            more = c & 0x20 != 0
            at += 1
            if not more and c & 0x10:
                number |= types.int64(-1) << shift
        if n > 2:
            number += counts[n - 2]
        if number < 0 or number > types.int64(1) << 50:
            return -1 - begin
        counts[n] = number
        n += 1
    return n

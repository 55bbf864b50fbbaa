"""Shapes to pixels: a pixel is in where its centre is, by the even-odd rule over all rings."""

from __future__ import annotations

import math

from numba import types

from consolidation.kernels._jit import kernel

_ONES = 0x0101010101010101


@kernel
def fill_polygon(points, ends, top, left, flags):
    """Mark where each row crosses the rings; `fill_flags` makes pixels of that.

    A centre on a ring is in if the inside lies to its right, or, on a horizontal side, below it:
    so polygons that share a side share no pixel and leave none out.

    Parameters
    ----------
    points : array (P, 2), float64
        x and y in pixels; (0, 0) is the outer corner of the image's first pixel. Finite.
    ends : array (R,), int64
        Where each ring ends in `points`; rings close by themselves.
    top, left : int
        Place of the first row and column of `flags` in the image.
    flags : array (h, w), uint8, in and out
        A crossing flips the first pixel whose centre lies at or to the right of it.
    """
    h, w = flags.shape
    begin = types.int64(0)
    for ring in range(ends.size):
        end = ends[ring]
        for p in range(begin, end):
            q = p + 1 if p + 1 < end else begin
            xa, ya, xb, yb = points[p, 0], points[p, 1], points[q, 0], points[q, 1]
            if ya == yb:
                continue
            # always from above to below: both polygons of a side compute the same crossing
            if ya > yb:
                xa, ya, xb, yb = xb, yb, xa, ya
            # rows whose centre lies in [ya, yb)
            first = max(math.ceil(max(ya - 0.5 - top, -1.0)), 0)
            last = math.ceil(min(yb - 0.5 - top, float(h)))
            slope = (xb - xa) / (yb - ya)
            for row in range(first, min(last, h)):
                x = xa + (row + top + 0.5 - ya) * slope
                column = math.ceil(min(max(x - 0.5 - left, -1.0), float(w)))
                if column < w:
                    flags[row, max(column, 0)] ^= 1
        begin = end


@kernel
def fill_flags(words):
    """Make pixels of crossings: each becomes the parity of the flags of its row up to it.

    Parameters
    ----------
    words : array (h, m), uint64, in and out
        Rows of flags, eight pixels in a word, the first in the lowest byte.
    """
    h, w = words.shape
    for row in range(h):
        inside = types.uint64(0)
        for column in range(w):
            x = words[row, column]
            x ^= x << types.uint64(8)
            x ^= x << types.uint64(16)
            x ^= x << types.uint64(32)
            x ^= inside
            words[row, column] = x
            inside = (x >> types.uint64(56)) * types.uint64(_ONES)


@kernel
def fill_ellipse(center, radii, direction, top, left, out):
    """Fill an ellipse.

    Parameters
    ----------
    center : (float, float)
        x and y, in pixels.
    radii : (float, float)
        Above 0.
    direction : (float, float)
        Cosine and sine of the angle from the x axis to the first radius, clockwise.
    top, left : int
        Place of the first row and column of `out` in the image.
    out : array (h, w), uint8, out
        1 where the centre is in, or on the border. Start with zeros.
    """
    h, w = out.shape
    cosine, sine = direction
    for row in range(h):
        y = row + top + 0.5 - center[1]
        for column in range(w):
            x = column + left + 0.5 - center[0]
            along = (x * cosine + y * sine) / radii[0]
            across = (y * cosine - x * sine) / radii[1]
            if along * along + across * across <= 1.0:
                out[row, column] = 1


@kernel
def lay(plane, transposed, value, unpainted, out, covered):
    """Paint the pixels of a shape over a mask.

    Parameters
    ----------
    plane : array (h, w), or (w, h) if transposed, uint8
        The shape: what is not 0.
    transposed : bool
    value : int
        Class to paint.
    unpainted : int
        What `out` holds where nothing was painted.
    out : array (h, w), uint8 or uint16, in and out
        The part of the mask below the shape.
    covered : array (65536,), int64, in and out
        Pixels of other classes that are painted over, by class.

    Returns
    -------
    int
        Pixels of the shape.
    """
    h, w = out.shape
    pixels = types.int64(0)
    if not transposed:
        for row in range(h):
            for column in range(w):
                if plane[row, column]:
                    pixels += 1
                    old = out[row, column]
                    covered[old] += (old != unpainted) & (old != value)
                    out[row, column] = value
        return pixels
    # in squares, since one side of them always lies apart in memory
    for top in range(0, h, 32):
        for left in range(0, w, 32):
            for column in range(left, min(left + 32, w)):
                for row in range(top, min(top + 32, h)):
                    if plane[column, row]:
                        pixels += 1
                        old = out[row, column]
                        covered[old] += (old != unpainted) & (old != value)
                        out[row, column] = value
    return pixels

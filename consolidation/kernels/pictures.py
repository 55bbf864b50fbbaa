"""Small pictures out of large ones, their colours as eyes see them, and masks back to size."""

from __future__ import annotations

import math

from consolidation.kernels._jit import kernel


@kernel
def area_average(image, top, left, step, line, out):
    """Mean of each output pixel's square of the image, pixels cut by its border counted in part.

    Parameters
    ----------
    image : array (H, Wd, C), uint8 or uint16
    top, left : float
        Corner of the first output pixel, in pixels of the image.
    step : float
        Side of an output pixel, at least 1. Squares that leave the image are cut at its border.
    line : array (Wd * C,), float32
        Room to work in.
    out : array (h, w, C), float32, out
    """
    height, width, channels = image.shape
    first = max(0, math.floor(left))
    last = min(width, math.ceil(left + out.shape[1] * step))
    size = (last - first) * channels
    part = line[:size]
    for i in range(out.shape[0]):
        y0, y1 = max(top + i * step, 0.0), min(top + (i + 1) * step, float(height))
        part[:] = 0.0
        for y in range(math.floor(y0), math.ceil(y1)):
            share = min(y + 1.0, y1) - max(float(y), y0)
            row = image[y, first:last].reshape(-1)
            weight = part.dtype.type(share / (y1 - y0))
            for k in range(row.size):
                part[k] += weight * row[k]
        for j in range(out.shape[1]):
            x0, x1 = max(left + j * step, 0.0), min(left + (j + 1) * step, float(width))
            for c in range(channels):
                out[i, j, c] = 0.0
            for x in range(math.floor(x0), math.ceil(x1)):
                share = (min(x + 1.0, x1) - max(float(x), x0)) / (x1 - x0)
                for c in range(channels):
                    out[i, j, c] += share * part[(x - first) * channels + c]


@kernel
def enlarge(values, top, left, step_y, step_x, out):
    """Where a small picture, drawn large by bilinear interpolation, is at least one half.

    Parameters
    ----------
    values : array (h, w), float32
    top, left : float
        Where the output's first pixel has its corner, in pixels of the small picture.
    step_y, step_x : float
        Height and width of an output pixel in pixels of the small picture.
    out : array (H, Wd), uint8, out
        0 or 1. Beyond the small picture's border its last pixel goes on.
    """
    h, w = values.shape
    for i in range(out.shape[0]):
        y = min(max(top + (i + 0.5) * step_y - 0.5, 0.0), h - 1.0)
        y0 = int(y)
        y1 = min(y0 + 1, h - 1)
        fy = y - y0
        for j in range(out.shape[1]):
            x = min(max(left + (j + 0.5) * step_x - 0.5, 0.0), w - 1.0)
            x0 = int(x)
            x1 = min(x0 + 1, w - 1)
            fx = x - x0
            upper = values[y0, x0] * (1.0 - fx) + values[y0, x1] * fx
            lower = values[y1, x0] * (1.0 - fx) + values[y1, x1] * fx
            out[i, j] = 1 if upper * (1.0 - fy) + lower * fy >= 0.5 else 0


@kernel
def _linear(value):
    if value <= 0.04045:
        return value / 12.92
    return ((value + 0.055) / 1.055) ** 2.4


@kernel
def _root(value):
    if value > 0.008856451679035631:
        return value ** (1.0 / 3.0)
    return 7.787037037037037 * value + 0.13793103448275862


@kernel
def lab(rgb, out):
    """CIE L*a*b* (1976, white D65) of sRGB colours.

    Parameters
    ----------
    rgb : array (N, 3), float32
        From 0 to 1.
    out : array (3, N), float32, out
        L* from 0 to 100; a* and b* about -100 to 100.
    """
    for i in range(rgb.shape[0]):
        r, g, b = _linear(rgb[i, 0]), _linear(rgb[i, 1]), _linear(rgb[i, 2])
        x = _root((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456)
        y = _root(0.212671 * r + 0.715160 * g + 0.072169 * b)
        z = _root((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754)
        out[0, i] = 116.0 * y - 16.0
        out[1, i] = 500.0 * (x - y)
        out[2, i] = 200.0 * (y - z)


@kernel
def fill_outline(rows, columns, out):
    """Pixels whose centres a closed polygon holds (even-odd rule), and those of its corners.

    Parameters
    ----------
    rows, columns : arrays (P,), float32
        Corners in order, in pixels; the centre of the first pixel is 0, 0.
    out : array (h, w), uint8, out
        0 or 1. Corners outside are left out.
    """
    h, w = out.shape
    out[:] = 0
    n = rows.size
    for k in range(n):
        y0, x0, y1, x1 = rows[k], columns[k], rows[(k + 1) % n], columns[(k + 1) % n]
        if y0 > y1:
            y0, x0, y1, x1 = y1, x1, y0, x0
        # rows of pixel centres in (y0, y1]; each crossing turns all pixels to its right around
        for i in range(max(0, math.floor(y0) + 1), min(h - 1, math.floor(y1)) + 1):
            x = x0 + (i - y0) / (y1 - y0) * (x1 - x0)
            for j in range(max(0, math.ceil(x)), w):
                out[i, j] ^= 1
    for k in range(n):
        i, j = math.floor(rows[k] + 0.5), math.floor(columns[k] + 0.5)
        if 0 <= i < h and 0 <= j < w:
            out[i, j] = 1

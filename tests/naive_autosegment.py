"""Slow, obvious twins of the kernels of auto-segmentation."""

from __future__ import annotations

import itertools
import math

import numpy as np


def cheapest_ways(cost, start):
    """Distances (H, Wd) by relaxing every step until nothing changes."""
    height, width = cost.shape
    distance = np.full(cost.shape, np.inf)
    distance[divmod(start, width)] = 0
    changed = True
    while changed:
        changed = False
        for y, x in itertools.product(range(height), range(width)):
            for dy, dx in itertools.product((-1, 0, 1), repeat=2):
                v, u = y + dy, x + dx
                if (dy, dx) == (0, 0) or not (0 <= v < height and 0 <= u < width):
                    continue
                way = distance[y, x] + math.hypot(dy, dx) * (cost[y, x] + cost[v, u]) / 2
                if way < distance[v, u] - 1e-9:
                    distance[v, u] = way
                    changed = True
    return distance


def closed_outline(cost, fixed, reach):
    """Radii of the cheapest closed outline, by trying all; None if there is none."""
    rays, steps = cost.shape
    choices = [range(steps) if r < 0 else [r] for r in fixed]
    best, radii = math.inf, None
    for tried in itertools.product(*choices):
        jumps = [abs(tried[a] - tried[a - 1]) for a in range(rays)]
        total = sum(cost[a, r] for a, r in enumerate(tried))
        if max(jumps) <= reach and total < best:
            best, radii = total, tried
    return radii


def area_average(image, top, left, step, shape):
    """Mean over each output pixel's square, every pixel weighted by its part of it."""
    height, width, channels = image.shape

    def part(pixel, start):
        return max(0.0, min(pixel + 1, start + step) - max(pixel, start))

    out = np.zeros((*shape, channels))
    for i, j in np.ndindex(shape):
        area = 0.0
        for y, x in np.ndindex(height, width):
            share = part(y, top + i * step) * part(x, left + j * step)
            out[i, j] += share * image[y, x].astype(float)
            area += share
        out[i, j] /= area
    return out


def enlarge(values, top, left, step_y, step_x, shape):
    """Bilinear values at the output's pixel centres."""
    h, w = values.shape
    out = np.zeros(shape)
    for i, j in np.ndindex(shape):
        y = min(max(top + (i + 0.5) * step_y - 0.5, 0), h - 1)
        x = min(max(left + (j + 0.5) * step_x - 0.5, 0), w - 1)
        for a, b in np.ndindex(h, w):
            out[i, j] += values[a, b] * max(0, 1 - abs(y - a)) * max(0, 1 - abs(x - b))
    return out


def lab(rgb):
    """CIE L*a*b* of one sRGB colour."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb]
    matrix = [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
    white = [0.950456, 1.0, 1.088754]
    xyz = [sum(m * v for m, v in zip(row, linear, strict=True)) for row in matrix]
    f = []
    for value, reference in zip(xyz, white, strict=True):
        t = value / reference
        f.append(t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def in_polygon(rows, columns, y, x):
    """Even-odd rule for a point: crossings of the outline to its left."""
    crossings = 0
    for k in range(len(rows)):
        y0, x0, y1, x1 = rows[k - 1], columns[k - 1], rows[k], columns[k]
        if (y0 < y) != (y1 < y) and x0 + (y - y0) / (y1 - y0) * (x1 - x0) <= x:
            crossings += 1
    return crossings % 2 == 1


def division(pull, down, right):
    """The best of all divisions in two, and what it costs."""
    h, w = pull.shape
    best, share = math.inf, None
    for bits in itertools.product((0, 1), repeat=h * w):
        tried = np.array(bits).reshape(h, w)
        total = energy(pull, down, right, tried)
        if total < best:
            best, share = total, tried
    return share, best


def energy(pull, down, right, share):
    """What a division costs."""
    vertical = down[:-1] * np.abs(np.diff(share, axis=0))
    sideways = right[:, :-1] * np.abs(np.diff(share, axis=1))
    return float((pull * share).sum() + vertical.sum() + sideways.sum())

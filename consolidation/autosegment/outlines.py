"""Outlines of an object from its four extreme points: by shape, by edges, by edges and colours."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.crop import Bools, Floats
from consolidation.kernels.paths import cheapest_ways
from consolidation.kernels.pictures import fill_outline
from consolidation.kernels.star import closed_outline

Corners = NDArray[np.float32]
"""Rows and columns (4, 2) in a crop of the topmost, rightmost, lowest and leftmost point."""

STRONG = 1.5
LEAST = 0.03
DETOUR = 2.5
RAYS, RADII, REACH = 128, 64, 6


def smooth_outline(corners: Corners, steps: int = 24) -> Floats:
    """Four quarter ellipses through the points, each touching the box there: rows, columns."""
    angle = np.linspace(0, np.pi / 2, steps, endpoint=False, dtype=np.float32)
    parts = []
    for k in range(4):
        start, end = corners[k], corners[(k + 1) % 4]
        # at the topmost and the lowest point the outline runs along the row, else the column
        along = 1 if k % 2 == 0 else 0
        part = np.empty((2, steps), np.float32)
        part[along] = start[along] + (end[along] - start[along]) * np.sin(angle)
        part[1 - along] = end[1 - along] + (start[1 - along] - end[1 - along]) * np.cos(angle)
        parts.append(part)
    return np.concatenate(parts, axis=1)


def filled(outline: Floats, shape: tuple[int, int]) -> Bools:
    """Pixels of a crop within a closed outline (2, P)."""
    out = np.empty(shape, np.uint8)
    fill_outline(outline[0], outline[1], out)
    return out.view(np.bool_)


class Wire:
    """A live-wire through the four points, within their box: arrays to work in are kept."""

    def __init__(self, corners: Corners, shape: tuple[int, int], slack: int = 1) -> None:
        pixels = np.rint(corners).astype(int)
        self.shape = shape
        self.rows = slice(max(0, pixels[:, 0].min() - slack), pixels[:, 0].max() + 1 + slack)
        self.columns = slice(max(0, pixels[:, 1].min() - slack), pixels[:, 1].max() + 1 + slack)
        self.origin = np.array([self.rows.start, self.columns.start])
        self.corners = pixels - self.origin

    def path(self, edge: Floats) -> Floats:
        """The closed way along strong edges through the points: rows, columns."""
        cost = 1 / (LEAST + np.minimum(edge[self.rows, self.columns], STRONG))
        cost = cost.astype(np.float32)
        height, width = cost.shape
        distance = np.empty(cost.size, np.float32)
        parent, heap, place = (np.empty(cost.size, np.int32) for _ in range(3))
        ways = []
        for k in range(4):
            start, end = self.corners[k], self.corners[(k + 1) % 4]
            low, high = np.minimum(start, end), np.maximum(start, end) + 1
            leg = cost * np.float32(DETOUR)
            near = (slice(low[0], high[0]), slice(low[1], high[1]))
            leg[near] = cost[near]
            source, target = (int(p[0] * width + p[1]) for p in (start, end))
            cheapest_ways(leg, source, target, np.inf, distance, parent, heap, place)
            way = [target]
            while way[-1] != source:
                way.append(int(parent[way[-1]]))
            ways += way[:0:-1]
        nodes = np.array(ways)
        return np.stack(
            (nodes // width + self.origin[0], nodes % width + self.origin[1])
        ).astype(np.float32)


def star_outline(
    corners: Corners, centre: tuple[float, float], edge: Floats, evidence: Floats
) -> Floats:
    """Closed outline through the points that every ray from the centre meets once."""
    rows, columns = corners[:, 0] - centre[0], corners[:, 1] - centre[1]
    angles = np.arctan2(rows, columns)
    lengths = np.hypot(rows, columns)
    first = float(angles[0])
    turn = (np.arange(RAYS) * (2 * math.pi / RAYS) + first)[:, None]
    # rays end at the box's corners, farther than any outline can be
    low, high = corners.min(axis=0), corners.max(axis=0)
    longest = max(math.hypot(r - centre[0], c - centre[1]) for r in (low[0], high[0]) for c in (low[1], high[1]))
    scale = max(longest, 1.0) / (RADII - 1)
    radius = (np.arange(RADII) * scale)[None, :]
    y, x = centre[0] + radius * np.sin(turn), centre[1] + radius * np.cos(turn)
    at = np.stack((y, x)).reshape(2, -1)
    edges = ndimage.map_coordinates(edge, at, order=1, mode="nearest").reshape(y.shape)
    color = ndimage.map_coordinates(evidence, at, order=1, mode="nearest").reshape(y.shape)
    outside = (y < low[0] - 1) | (y > high[0] + 1) | (x < low[1] - 1) | (x > high[1] + 1)
    # the evidence of the pixels within, each as large as its ring
    within = np.cumsum(color * radius, axis=1) * (EVIDENCE * scale / max(longest, 1.0))
    cost = (-np.minimum(edges, STRONG) - within + 50.0 * outside).astype(np.float32)
    fixed = np.full(RAYS, -1, np.int32)
    for angle, length in zip(angles, lengths, strict=True):
        ray = round((angle - first) / (2 * math.pi) * RAYS) % RAYS
        fixed[ray] = min(round(length / scale), RADII - 1)
    total, before = np.empty((2, RADII)), np.empty((RAYS, RADII), np.int32)
    radii = np.empty(RAYS, np.int32)
    reach = REACH
    while not closed_outline(cost, fixed, reach, total, before, radii):
        reach *= 2
    r = radii * scale
    return np.stack((centre[0] + r * np.sin(turn[:, 0]), centre[1] + r * np.cos(turn[:, 0]))).astype(np.float32)


EVIDENCE = 0.1

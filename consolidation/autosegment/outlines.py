"""Outlines of an object through its four extreme points: by shape, by edges, by rays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.crop import Bools, Floats
from consolidation.autosegment.features import STRONG
from consolidation.kernels.paths import cheapest_ways
from consolidation.kernels.pictures import fill_outline
from consolidation.kernels.star import closed_outline

LEAST = 0.03
"""Added to an edge's strength: a way over flat ground costs ``1 / LEAST`` a pixel."""
DETOUR = 2.5
"""What a way costs more outside the rectangle that its ends span."""
TAKEN = 4.0
"""What a way costs more on pixels of other objects."""
RAYS, RADII, REACH = 128, 64, 6
"""Of a star outline: directions, places on each, and how many the next direction may differ."""
STAR_EVIDENCE = 0.1
_OUTSIDE = 50.0


def smooth_outline(corners: Floats, steps: int = 24) -> Floats:
    """Four quarter ellipses through the points, each along the box's side there.

    Parameters
    ----------
    corners : array (4, 2), float32
        Row and column of the topmost, rightmost, lowest and leftmost point.
    steps : int
        Corners of each quarter.

    Returns
    -------
    array (2, 4 * steps), float32
        Rows and columns.
    """
    angle = np.linspace(0, np.pi / 2, steps, endpoint=False, dtype=np.float32)
    quarters = []
    for k in range(4):
        start, end = corners[k], corners[(k + 1) % 4]
        # at the topmost and the lowest point the outline runs along a row, else along a column
        along = 1 if k % 2 == 0 else 0
        quarter = np.empty((2, steps), np.float32)
        quarter[along] = start[along] + (end[along] - start[along]) * np.sin(angle)
        quarter[1 - along] = end[1 - along] + (start[1 - along] - end[1 - along]) * np.cos(angle)
        quarters.append(quarter)
    return np.concatenate(quarters, axis=1)


def filled(outline: Floats, shape: tuple[int, ...]) -> Bools:
    """Pixels of a crop (h, w) within a closed outline (2, P)."""
    out = np.empty(shape, np.uint8)
    fill_outline(outline[0], outline[1], out)
    return out.view(np.bool_)


def mean_strength(edge: Floats, outline: Floats) -> float:
    """Mean strength of the edges along an outline."""
    strength = ndimage.map_coordinates(edge, outline, order=1, mode="nearest")
    return float(np.minimum(strength, STRONG).mean())


class Wire:
    """Live-wire through the four points, within their box."""

    def __init__(self, corners: Floats, shape: tuple[int, ...], taken: Bools | None) -> None:
        pixels = np.rint(corners).astype(int)
        pixels = np.clip(pixels, 0, np.array(shape) - 1)
        (top, left), (bottom, right) = pixels.min(axis=0), pixels.max(axis=0)
        self.rows = slice(max(0, top - 1), bottom + 2)
        self.columns = slice(max(0, left - 1), right + 2)
        self._origin = np.array([self.rows.start, self.columns.start])
        self._corners = pixels - self._origin
        self._taken = None if taken is None else taken[self.rows, self.columns]

    def path(self, edge: Floats) -> Floats:
        """Rows and columns (2, P) of the cheapest closed way along strong edges."""
        cost = 1 / (LEAST + np.minimum(edge[self.rows, self.columns], STRONG))
        if self._taken is not None:
            cost[self._taken] *= TAKEN
        cost = cost.astype(np.float32)
        width = cost.shape[1]
        distance = np.empty(cost.size, np.float32)
        room = [np.empty(cost.size, np.int32) for _ in range(3)]
        nodes: list[int] = []
        for k in range(4):
            start, end = self._corners[k], self._corners[(k + 1) % 4]
            low, high = np.minimum(start, end), np.maximum(start, end) + 1
            leg = cost * np.float32(DETOUR)
            near = slice(low[0], high[0]), slice(low[1], high[1])
            leg[near] = cost[near]
            source, target = (int(row * width + column) for row, column in (start, end))
            cheapest_ways(leg, source, target, math.inf, distance, *room)
            way = [target]
            while way[-1] != source:
                way.append(int(room[0][way[-1]]))
            nodes += way[:0:-1] or [source]
        rows, columns = np.divmod(np.array(nodes), width)
        line: Floats = np.stack((rows + self._origin[0], columns + self._origin[1]))
        return line.astype(np.float32)


def star_outline(
    corners: Floats, centre: tuple[float, float], edge: Floats, seen: Floats
) -> Floats:
    """Outline that every ray from the centre meets once: strong edges, likely colours within.

    Parameters
    ----------
    corners : array (4, 2), float32
    centre : tuple
        Row and column.
    edge, seen : arrays (h, w), float32
        Edges, and evidence of colours.

    Returns
    -------
    array (2, `RAYS`), float32
        Rows and columns.
    """
    offsets = corners - np.array(centre, np.float32)
    angles = np.arctan2(offsets[:, 0], offsets[:, 1])
    low, high = corners.min(axis=0) - 0.5, corners.max(axis=0) + 0.5
    # no outline is farther away than the box's farthest corner
    farthest = np.maximum(np.abs(low - centre), np.abs(high - centre))
    scale = math.hypot(*farthest) / (RADII - 1)
    turn = np.arange(RAYS)[:, None] * (2 * math.pi / RAYS) + angles[0]
    radius = np.arange(RADII)[None, :] * scale
    places = np.stack((centre[0] + radius * np.sin(turn), centre[1] + radius * np.cos(turn)))
    edges, colors = (
        ndimage.map_coordinates(values, places.reshape(2, -1), order=1, mode="nearest").reshape(
            RAYS, RADII
        )
        for values in (edge, seen)
    )
    beyond = np.any((places < low[:, None, None]) | (places > high[:, None, None]), axis=0)
    # what lies within an outline counts by its area: rings grow with the radius
    within = np.cumsum(colors * radius, axis=1) * (STAR_EVIDENCE / (RADII - 1))
    cost = (_OUTSIDE * beyond - np.minimum(edges, STRONG) - within).astype(np.float32)
    radii = _radii(cost, _fixed(angles, np.hypot(*offsets.T) / scale))
    rows_columns: NDArray[np.float64] = places[:, np.arange(RAYS), radii]
    return rows_columns.astype(np.float32)


def _fixed(angles: Floats, radii: Floats) -> NDArray[np.int32]:
    """The radius that each ray must have, -1 for any; the first ray passes the first point."""
    fixed = np.full(RAYS, -1, np.int32)
    rays = np.rint((angles - angles[0]) / (2 * math.pi) * RAYS).astype(int) % RAYS
    # two points on one ray: the first counts
    for ray, radius in list(zip(rays, radii, strict=True))[::-1]:
        fixed[ray] = min(round(float(radius)), RADII - 1)
    return fixed


def _radii(cost: Floats, fixed: NDArray[np.int32]) -> NDArray[np.int32]:
    """Cheapest outline; neighbours may differ by more where the points leave no other way."""
    radii = np.empty(RAYS, np.int32)
    total, before = np.empty((2, RADII)), np.empty((RAYS, RADII), np.int32)
    reach = REACH
    while not closed_outline(cost, fixed, reach, total, before, radii):
        reach *= 2
    return radii

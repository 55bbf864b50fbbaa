"""Extreme points, boxes and clicks: checked, and put in order. Places are (x, y) in pixels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""First column, first row, last column and last row, both ends included."""

SLIP = 0.02
"""How far outside the image a place may be, as part of the image's longer side, and be moved in."""


class Extremes(NamedTuple):
    """The places where an object touches its box, clockwise."""

    top: Place
    right: Place
    bottom: Place
    left: Place

    @property
    def box(self) -> Box:
        """The smallest box that holds the points."""
        xs, ys = zip(*self, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @classmethod
    def of(cls, points: ArrayLike, shape: tuple[int, int]) -> Extremes:
        """Order four points of an image (H, W), which may be a little off.

        Raises
        ------
        ValueError
            If they are not four pairs of finite numbers, or lie outside the image.

        Examples
        --------
        >>> Extremes.of([(5, 9), (1, 4), (8, 3), (4, 0)], (20, 20)).right
        (8.0, 3.0)
        """
        pairs = _numbers(points, "points", 2)
        if len(pairs) != 4:
            raise ValueError(f"an object has four extreme points, and {len(pairs)} are given")
        places = [inside(pair, shape, "point") for pair in pairs]
        # a point can be two extremes at once, so that each must not be chosen by itself
        orders = itertools.permutations(places)
        return cls(*max(orders, key=lambda p: p[1][0] - p[3][0] + p[2][1] - p[0][1]))


class Click(NamedTuple):
    """A place that belongs to the object, or does not."""

    x: float
    y: float
    inside: bool


def clicks_of(clicks: Sequence[Any], shape: tuple[int, int]) -> tuple[Click, ...]:
    """Check clicks (x, y, inside), the last true or positive for the object; in one order always.

    Examples
    --------
    >>> clicks_of([(3, 4, -1), (1, 2, True)], (9, 9))
    (Click(x=1.0, y=2.0, inside=True), Click(x=3.0, y=4.0, inside=False))
    """
    rows = _numbers(clicks, "clicks", 3) if len(clicks) else []
    placed = {Click(*inside(row[:2], shape, "click"), bool(row[2] > 0)) for row in rows}
    return tuple(sorted(placed))


def box_of(box: ArrayLike, shape: tuple[int, int]) -> Box:
    """Check a box (left, top, width, height) of an image (H, W), and cut it at the image.

    Examples
    --------
    >>> box_of((2, 3, 4, 100), (20, 20))
    (2.0, 3.0, 5.0, 19.0)
    """
    rows = _numbers([box], "box", 4)
    left, top, width, height = rows[0]
    if width <= 0 or height <= 0:
        raise ValueError(f"the box is empty: its width is {width:g} and its height {height:g}")
    first = (max(left, 0.0), max(top, 0.0))
    last = (min(left + width, float(shape[1])) - 1, min(top + height, float(shape[0])) - 1)
    if last[0] + 1 <= first[0] or last[1] + 1 <= first[1]:
        raise ValueError(
            f"the box {left:g}, {top:g}, {width:g} x {height:g} lies outside the image, "
            f"which is {shape[1]} x {shape[0]}"
        )
    return first[0], first[1], max(last[0], first[0]), max(last[1], first[1])


def inside(point: Sequence[float], shape: tuple[int, int], what: str) -> Place:
    """The place, moved into an image (H, W) that it misses by a little."""
    height, width = shape
    x, y = float(point[0]), float(point[1])
    slip = max(3.0, SLIP * max(height, width))
    if not (-slip <= x <= width - 1 + slip and -slip <= y <= height - 1 + slip):
        raise ValueError(
            f"the {what} {x:g}, {y:g} lies outside the image, which is {width} x {height}"
        )
    return min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)


def _numbers(values: Any, what: str, columns: int) -> list[list[float]]:
    """Rows of finite numbers."""
    try:
        array: NDArray[np.float64] = np.asarray([tuple(row) for row in values], np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{what} are rows of {columns} numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} hold a number that is not finite")
    rows: list[list[float]] = array.tolist()
    return rows

"""The one way from shapes to pixels: a pixel is in where its centre is, even-odd over all rings.

Coordinates are continuous, x to the right and y downwards; (0, 0) is the outer corner of the first
pixel, whose centre is (0.5, 0.5). What leaves the image is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.kernels import shapes as kernels

MOST = 1e9
"""Coordinates beyond are cut off: they are outside of every image."""
LEAST_POINTS = 3
"""A ring of fewer has no inside."""


class Plane(NamedTuple):
    """Pixels of a shape in a part of its image.

    Attributes
    ----------
    pixels : ndarray of shape (h, w), or (w, h) if transposed, uint8
        Not 0 where the shape is.
    top, left : int
        Where the part begins.
    transposed : bool
    """

    pixels: NDArray[np.uint8]
    top: int
    left: int
    transposed: bool = False

    @property
    def window(self) -> tuple[slice, slice]:
        """The part, as an index into the image."""
        h, w = self.pixels.shape[::-1] if self.transposed else self.pixels.shape
        return slice(self.top, self.top + h), slice(self.left, self.left + w)


class Shape(Protocol):
    """What an annotator drew, not yet pixels."""

    def plane(self, height: int, width: int) -> Plane | None:
        """Pixels in an image of this size; None if there are none.

        AnswerError if the shape is damaged, or made for an image of another size.
        """


@dataclass(frozen=True, eq=False)
class Polygon:
    """Rings of one object, even-odd: a ring within another is a hole.

    Attributes
    ----------
    points : ndarray of shape (P, 2), float64
        x and y in pixels, of all rings.
    ends : tuple of int
        Where each ring ends in `points`.

    Examples
    --------
    >>> Polygon.of([[(0, 0), (2, 0), (2, 2), (0, 2)]]).plane(4, 4).pixels[:, :2]
    array([[1, 1],
           [1, 1]], dtype=uint8)
    """

    points: NDArray[np.float64]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, rings: Sequence[Any]) -> Polygon:
        """Polygon of rings of (x, y), or (2 P,) as x, y, x, y; AnswerError if they are none.

        Rings of fewer than `LEAST_POINTS` have no inside and are left out.
        """
        arrays = [ring for ring in map(as_points, rings) if len(ring) >= LEAST_POINTS]
        ends = np.cumsum([len(array) for array in arrays]).tolist()
        points = np.concatenate(arrays) if arrays else np.empty((0, 2))
        return cls(points, tuple(ends))

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        if not self.ends:
            return None
        box = _box(self.points.min(axis=0), self.points.max(axis=0), height, width)
        if box is None:
            return None
        top, left, h, w = box
        # rows of whole words, which are filled at once
        flags = np.zeros((h, -(-w // 8) * 8), np.uint8)
        ends = np.array(self.ends, np.int64)
        kernels.fill_polygon(self.points, ends, top, left, flags[:, :w])
        kernels.fill_flags(flags.view("<u8"))
        return Plane(flags[:, :w], top, left)


def as_points(ring: Any) -> NDArray[np.float64]:
    """Points (P, 2) of a ring; AnswerError if it is none.

    Examples
    --------
    >>> as_points([1, 2, 3, 4])
    array([[1., 2.],
           [3., 4.]])
    """
    try:
        points = np.array(ring, dtype=np.float64)
        if points.ndim == 1:
            points = points.reshape(-1, 2)
        if points.size and (points.ndim != 2 or points.shape[1] != 2):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise AnswerError("a shape of it is damaged: not a list of points x, y") from None
    if not np.isfinite(points).all():
        raise AnswerError("a shape of it is damaged: a point is not finite")
    return np.ascontiguousarray(points.reshape(-1, 2).clip(-MOST, MOST))


def rectangle(
    x: float, y: float, width: float, height: float, degrees: float = 0.0, center: bool = False
) -> Polygon:
    """Rectangle of its corner before rotation, turned clockwise around it, or around its centre.

    Examples
    --------
    >>> rectangle(1, 2, 3, 1).points.tolist()
    [[1.0, 2.0], [4.0, 2.0], [4.0, 3.0], [1.0, 3.0]]
    """
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    pivot = np.array([width / 2, height / 2]) if center else np.zeros(2)
    if degrees % 360:
        cosine, sine = _direction(degrees)
        turn = np.array([[cosine, sine], [-sine, cosine]])
        corners = (corners - pivot) @ turn + pivot
    return Polygon.of([corners + np.array((x, y))])


@dataclass(frozen=True)
class Ellipse:
    """Ellipse: centre and radii in pixels, turned clockwise by degrees."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    degrees: float = 0.0

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        numbers = (self.x, self.y, self.radius_x, self.radius_y, self.degrees)
        if not all(math.isfinite(number) for number in numbers):
            raise AnswerError("an ellipse of it is damaged: a number is not finite")
        if self.radius_x <= 0 or self.radius_y <= 0:
            return None
        cosine, sine = _direction(self.degrees)
        half = np.hypot(
            [self.radius_x * cosine, self.radius_x * sine],
            [self.radius_y * sine, self.radius_y * cosine],
        )
        center = np.array([self.x, self.y])
        box = _box(center - half, center + half, height, width)
        if box is None:
            return None
        top, left, h, w = box
        out = np.zeros((h, w), np.uint8)
        radii = (float(self.radius_x), float(self.radius_y))
        kernels.fill_ellipse((float(self.x), float(self.y)), radii, (cosine, sine), top, left, out)
        return Plane(out, top, left)


def cut(plane: Plane, height: int, width: int) -> Plane | None:
    """Part of a plane that lies in the image."""
    rows, columns = plane.window
    top, left = max(rows.start, 0), max(columns.start, 0)
    bottom, right = min(rows.stop, height), min(columns.stop, width)
    if top >= bottom or left >= right:
        return None
    pixels = plane.pixels[
        top - plane.top : bottom - plane.top, left - plane.left : right - plane.left
    ]
    return Plane(pixels, top, left)


def _box(
    low: NDArray[np.float64], high: NDArray[np.float64], height: int, width: int
) -> tuple[int, int, int, int] | None:
    """Top, left, height and width of the pixels between two points, in the image."""
    left, top = (max(math.floor(side), 0) for side in low.clip(-MOST, MOST).tolist())
    right, bottom = (math.ceil(side) for side in high.clip(-MOST, MOST).tolist())
    h, w = min(bottom, height) - top, min(right, width) - left
    return (top, left, h, w) if h > 0 and w > 0 else None


def _direction(degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees % 360)
    return math.cos(angle), math.sin(angle)

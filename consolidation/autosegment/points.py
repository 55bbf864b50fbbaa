"""Extreme points and clicks: checked, and put in order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Extremes(NamedTuple):
    """The points (x, y) where an object touches its box, in pixels of the image."""

    top: tuple[float, float]
    right: tuple[float, float]
    bottom: tuple[float, float]
    left: tuple[float, float]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """First column, first row, last column, last row."""
        xs, ys = zip(*self, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


class Click(NamedTuple):
    """A place (x, y) that belongs to the object, or does not."""

    x: float
    y: float
    inside: bool

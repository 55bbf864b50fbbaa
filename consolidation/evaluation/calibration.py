"""How far confidence means what it says: its expected error, and counts that draw the curve."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

LEVELS = 256
"""Values of a confidence map."""
GROUPS = 32
"""Dots of a diagram at most: values are grouped, never split."""


def expected_calibration_error(
    confidence: npt.NDArray[Any], pixels: npt.NDArray[Any], right: npt.NDArray[Any]
) -> float:
    """Mean over pixels of the difference between confidence and the share that is right.

    Every distinct value is a bin of its own: equal values are never split, and values that differ
    never cancel out.

    Parameters
    ----------
    confidence : ndarray of shape (n,)
        Distinct values in [0, 1].
    pixels, right : ndarrays of int, shape (n,)
        Pixels of each value, and how many of them have their true class.

    Returns
    -------
    float
        In [0, 1]; NaN without any pixel.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015.

    Examples
    --------
    Of four pixels at .75 two are right, of four at 1 all:

    >>> expected_calibration_error(np.array([0.75, 1]), np.array([4, 4]), np.array([2, 4]))
    0.125
    """
    total = int(pixels.sum())
    if total == 0:
        return math.nan
    return float(np.abs(right - confidence * pixels).sum() / total)


@dataclass(eq=False)
class ConfidenceCounts:
    """Pixels by confidence map value, and how many are right; they add up over images.

    A map's value v stands for v / 255, which is off by 1/510 at most. It does not tell disputed
    pixels apart where they round to the value of unanimous ones (255), or where a calibration maps
    both to one value: they count as unanimous then. What a calibration makes of unanimous pixels
    is taken to be the highest value that there is.

    Attributes
    ----------
    pixels, right : ndarrays of shape (256,), int64
    calibrated : bool
        Whether a calibration made the values what they are.
    """

    pixels: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS, np.int64))
    right: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS, np.int64))
    calibrated: bool = False

    def add(self, values: npt.NDArray[np.uint8], right: npt.NDArray[np.bool_]) -> None:
        """Count pixels: the map's values, and whether their class is right, of one shape."""
        self.pixels += np.bincount(values.reshape(-1), minlength=LEVELS)
        self.right += np.bincount(values[right], minlength=LEVELS)

    @property
    def unanimous(self) -> int:
        """Value of unanimous pixels: 255, or the highest one if there was a calibration."""
        seen = np.flatnonzero(self.pixels)
        return int(seen[-1]) if self.calibrated and seen.size else LEVELS - 1

    @property
    def disputed(self) -> ConfidenceCounts:
        """Counts of pixels below the value of unanimous ones."""
        below = np.arange(LEVELS) < self.unanimous
        return ConfidenceCounts(self.pixels * below, self.right * below, self.calibrated)

    def dots(self) -> list[tuple[int, float, float]]:
        """Pixels, mean confidence and share of right pixels, by group of values."""
        values = np.arange(LEVELS)
        group = values * GROUPS // LEVELS
        pixels = np.bincount(group, self.pixels)
        right = np.bincount(group, self.right)
        sums = np.bincount(group, self.pixels * values) / 255
        return [
            (
                int(pixels[value]),
                float(sums[value] / pixels[value]),
                float(right[value] / pixels[value]),
            )
            for value in np.flatnonzero(pixels).tolist()
        ]

    @property
    def error(self) -> float:
        """Expected calibration error; NaN without any pixel."""
        return expected_calibration_error(np.arange(LEVELS) / 255, self.pixels, self.right)

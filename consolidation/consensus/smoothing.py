"""Smoothing: neighbouring pixels' votes help to decide disputed pixels.

For a disputed pixel p and every class c that at least `min_votes` workers gave p itself,

    score(c, p) = sum over workers w, pixels q in the window around p of
                  weight(w) * g(q - p) * [worker w gave q class c]

and the class with the highest score wins, the lowest of them where several have it. g is a
Gaussian of `sigma` pixels, cut at `ceil(2 sigma)` pixels along both axes (5 x 5 for sigma 1) and
rounded to integers of sum 65535 or just below, so that sums are exact. Unanimous pixels are not
visited, and all scores are taken from the workers' masks, never from smoothed labels: the order
of the pixels does not matter.

Classes that the plain vote (ties to the lowest class) gives to no pixel of the image cannot win
by smoothing either. Neighbours should move a border, not bring in a class that no majority ever
saw: on real annotators that rule alone turned a loss of .003 mIoU into a gain of .002 where
images have few pixels of many classes, and changed nothing elsewhere.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

MAX_SUM = 65535
MAX_SIGMA = 8.0
TIE_SIGMA = 1.0
"""Sigma of the window that decides ties by neighbours where smoothing is off."""


@cache
def gaussian_window(sigma: float) -> NDArray[np.uint16]:
    """Integer weights of shape (2 r + 1, 2 r + 1), r = ceil(2 sigma), of sum 65535 at most.

    Examples
    --------
    >>> gaussian_window(0.5).tolist()
    [[743, 5493, 743], [5493, 40586, 5493], [743, 5493, 743]]
    """
    radius = max(1, math.ceil(2 * sigma))
    # only exp() of each squared distance, so that symmetric cells are equal to the bit
    squared = np.arange(-radius, radius + 1) ** 2
    distances = squared[:, None] + squared[None, :]
    values = np.array([[math.exp(-d / (2 * sigma**2)) for d in row] for row in distances.tolist()])
    # rounding adds at most half a unit a cell
    scale = (MAX_SUM - values.size / 2) / values.sum()
    window: NDArray[np.uint16] = np.rint(values * scale).astype(np.uint16)
    window.setflags(write=False)
    return window

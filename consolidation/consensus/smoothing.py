"""Smoothing: neighbouring pixels' votes help to decide disputed pixels.

For a disputed pixel p and every class c that at least `min_votes` workers gave p itself,

    score(c, p) = sum over workers w, pixels q in the window around p of
                  weight(w) * g(q - p) * [worker w gave q class c]

and the class with the highest score wins, the lowest of them where several have it. g is a
Gaussian of `sigma` pixels, cut at `ceil(2 sigma)` pixels along both axes (5 x 5 for sigma 1) and
rounded to multiples of 2^-16 of its peak, so that sums are exact. Unanimous pixels are not
visited, and all scores are taken from the workers' masks, never from smoothed labels: the order
of the pixels does not matter.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

PEAK = 1 << 16
MAX_SIGMA = 16.0
TIE_SIGMA = 1.0
"""Sigma of the window that decides ties by neighbours where smoothing is off."""


def gaussian_window(sigma: float) -> NDArray[np.int64]:
    """Integer weights of shape (2 r + 1, 2 r + 1), r = ceil(2 sigma), peak 2^16.

    Examples
    --------
    >>> gaussian_window(0.5).tolist()
    [[1200, 8869, 1200], [8869, 65536, 8869], [1200, 8869, 1200]]
    """
    radius = max(1, math.ceil(2 * sigma))
    # only exp() of each squared distance, so that symmetric cells are equal to the bit
    squared = np.arange(-radius, radius + 1) ** 2
    distances = squared[:, None] + squared[None, :]
    values = [[math.exp(-d / (2 * sigma**2)) for d in row] for row in distances.tolist()]
    window: NDArray[np.int64] = np.rint(np.array(values) * PEAK).astype(np.int64)
    return window

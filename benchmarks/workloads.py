"""Masks as careful workers paint them: smooth regions, jittered borders, a few wrong patches."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], grain: int) -> NDArray[Any]:
    """Noise of unit variance with features of about `grain` pixels."""
    coarse = rng.standard_normal([side // grain + 4 for side in shape])
    field = zoom(gaussian_filter(coarse, 1.0), grain, order=1)[: shape[0], : shape[1]]
    return np.asarray(field / field.std(), np.float32)


@cache
def masks(workers: int, classes: int, height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Masks (W, H, Wd) uint8 of one picture; borders jitter by 2 to 6 pixels, 1 % is swapped."""
    rng = np.random.default_rng([seed, workers, classes, height])
    shape = (height, width)
    # nested level sets, permuted: every class is a set of blobs with borders to others
    level = smooth_noise(rng, shape, 128)
    ranks = np.searchsorted(np.quantile(level, np.linspace(0, 1, classes + 1)[1:-1]), level)
    truth = rng.permutation(classes).astype(np.uint8)[ranks]
    rows, columns = np.mgrid[:height, :width]
    out = np.empty((workers, height, width), np.uint8)
    for worker in range(workers):
        jitter = 2 + 4 * worker / max(workers - 1, 1)
        y = rows + np.rint(smooth_noise(rng, shape, 24) * jitter).astype(np.int64)
        x = columns + np.rint(smooth_noise(rng, shape, 24) * jitter).astype(np.int64)
        out[worker] = truth[y.clip(0, height - 1), x.clip(0, width - 1)]
        wrong = smooth_noise(rng, shape, 32) > 2.33
        out[worker][wrong] = (out[worker][wrong] + 1) % classes
    return out

"""Which colours are whose: histograms of two sides at once, and what they say of each pixel."""

from __future__ import annotations

import math

from consolidation.kernels._jit import kernel


@kernel
def weighted_histograms(bins, inside, outside, counts):
    """Sums of two weights over the pixels of each bin.

    Parameters
    ----------
    bins : array (N,), int32
    inside, outside : arrays (N,), float32
    counts : array (2, B), float32, out
    """
    counts[:] = 0.0
    for i in range(bins.size):
        counts[0, bins[i]] += inside[i]
        counts[1, bins[i]] += outside[i]


@kernel
def log_ratios(bins, counts, floor, clip, out):
    """Logarithm of how much likelier each pixel's colour is inside than outside.

    Parameters
    ----------
    bins : array (N,), int32
    counts : array (2, B), float32
        Shares of the two sides in each bin.
    floor : float
        Added to every share, so that an unseen colour says little.
    clip : float
        Largest value and, negative, the smallest.
    out : array (N,), float32, out
    """
    for i in range(bins.size):
        ratio = math.log((counts[0, bins[i]] + floor) / (counts[1, bins[i]] + floor))
        out[i] = min(max(ratio, -clip), clip)

"""What a crop shows: its colours, how strong its edges are, and which bin each colour falls in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.crop import Bools, Floats, Frame, lab_crop
from consolidation.kernels.histograms import log_ratios, weighted_histograms

BINS = 16
"""Of a histogram, along each of L*, a* and b*."""
FLAT = np.array([12.0, 10.0, 10.0], np.float32)
"""Least width of a bin's 16 in L*, a*, b*: a flat picture's noise is not spread over all bins."""


@dataclass(frozen=True)
class Features:
    """A crop and what was read off it.

    Attributes
    ----------
    frame : Frame
    lab : array (3, h, w), float32
    edge : array (h, w), float32
        Strength of colour edges; 1 is stronger than 95 of 100 pixels.
    bins : array (h * w,), int32
        Bin of each pixel's colour, below ``BINS ** 3``.
    """

    frame: Frame
    lab: Floats
    edge: Floats
    bins: NDArray[np.int32]

    @classmethod
    def of(cls, image: NDArray[np.generic], frame: Frame) -> Features:
        """Read an image (H, W, C)."""
        lab = lab_crop(image, frame)
        return cls(frame, lab, edge_strength(lab), color_bins(lab))


def edge_strength(lab: Floats) -> Floats:
    """Gradient of the colours at a fine and a coarse scale, over its 95th percentile."""
    fine = gradient(blur(lab, 1.0))
    coarse = gradient(blur(lab, 2.0))
    return normalised(np.maximum(fine, 2 * coarse))


def blur(values: Floats, sigma: float) -> Floats:
    """Gaussian over the last two axes."""
    axes = (0,) * (values.ndim - 2) + (sigma, sigma)
    out: Floats = ndimage.gaussian_filter(values, axes, mode="nearest", truncate=3.0)
    return out


def gradient(values: Floats) -> Floats:
    """Length of the gradient of (C, h, w) or (h, w), all channels together."""
    squares = np.zeros(values.shape[-2:], np.float32)
    for channel in values.reshape(-1, *values.shape[-2:]):
        for axis in (0, 1):
            if channel.shape[axis] > 1:
                squares += np.gradient(channel, axis=axis) ** 2
    return np.sqrt(squares)


def normalised(strength: Floats) -> Floats:
    """Divided by its 95th percentile."""
    high = float(np.percentile(strength, 95))
    return strength / max(high, 1e-6)


def color_bins(lab: Floats) -> NDArray[np.int32]:
    """Bin of each pixel's colour, between the least and the largest that the crop has."""
    flat = lab.reshape(3, -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    middle, width = (low + high) / 2, np.maximum(high - low, FLAT) + 1e-3
    places = ((flat - middle[:, None]) / width[:, None] + 0.5) * BINS
    part = np.clip(places, 0, BINS - 1).astype(np.int32)
    bins: NDArray[np.int32] = (part[0] * BINS + part[1]) * BINS + part[2]
    return bins


def color_evidence(features: Features, inside: Floats, usable: Bools | None = None) -> Floats:
    """Log ratio of each pixel's colour inside an object and outside it.

    Parameters
    ----------
    features : Features
    inside : array (h, w), float32
        How far each pixel is the object's, 0 to 1.
    usable : array (h, w), bool, optional
        Pixels that may teach; all.

    Returns
    -------
    array (h, w), float32
        From `-CLIP` to `CLIP`.
    """
    inside = inside.reshape(-1)
    outside = 1 - inside
    if usable is not None:
        inside, outside = inside * usable.reshape(-1), outside * usable.reshape(-1)
    counts = np.empty((2, BINS**3), np.float32)
    weighted_histograms(features.bins, inside, outside, counts)
    cube = ndimage.gaussian_filter(
        counts.reshape(2, BINS, BINS, BINS), (0, 0.8, 0.8, 0.8), mode="constant", truncate=3.0
    ).reshape(2, -1)
    cube /= np.maximum(cube.sum(axis=1, keepdims=True), 1e-6)
    out = np.empty(inside.size, np.float32)
    log_ratios(features.bins, cube, UNSEEN, CLIP, out)
    return out.reshape(features.edge.shape)


CLIP = 4.0
UNSEEN = 1e-4
"""Share of a colour that neither side has."""

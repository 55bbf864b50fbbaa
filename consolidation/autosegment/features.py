"""What a crop shows: its colours, its texture, and how strong its edges are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.crop import Floats, Frame, lab_crop

BINS = 16
"""Of a histogram, along each of its three axes."""
FLAT_COLOR = (12.0, 10.0, 10.0)
FLAT_TEXTURE = (12.0, 8.0, 10.0)
"""Least width of an axis's bins together, in units of L*, a*, b*: noise is not spread over all."""
TEXTURE_SIGMA = 2.5
"""Reach in pixels of a crop over which texture is measured."""
SCALES = (1.0, 2.0)
"""Of edges, in pixels of a crop; 4 with them loses .02 of IoU on photographs."""
STRONG = 1.5
"""Strength beyond which an edge counts no more."""


@dataclass(frozen=True, eq=False)
class Features:
    """A crop and what was read off it.

    Attributes
    ----------
    frame : Frame
    edge : array (h, w), float32
        Strength of colour edges; 1 is stronger than 95 of 100 pixels. Where the crop ends
        because the image does, `STRONG`: an object that is cut off ends there.
    color, texture : arrays (h * w,), int32
        Bin of each pixel's colour, and of its surroundings', below ``BINS ** 3``.
    """

    frame: Frame
    edge: Floats
    color: NDArray[np.int32]
    texture: NDArray[np.int32]

    @classmethod
    def of(cls, image: NDArray[np.generic], frame: Frame) -> Features:
        """Read an image (H, W, C)."""
        lab = lab_crop(image, frame)
        strength = [sigma * gradient(blur(lab, sigma)) for sigma in SCALES]
        edge = normalised(np.maximum.reduce(strength))
        for side in frame.cut_sides():
            edge[side] = np.maximum(edge[side], STRONG)
        return cls(frame, edge, bins(lab, FLAT_COLOR), bins(surroundings(lab), FLAT_TEXTURE))


def blur(values: Floats, sigma: float) -> Floats:
    """Gaussian over the last two axes."""
    axes = (0.0,) * (values.ndim - 2) + (sigma, sigma)
    blurred: Floats = ndimage.gaussian_filter(values, axes, mode="nearest", truncate=3.0)
    return blurred


def gradient(values: Floats) -> Floats:
    """Length of the gradient of (C, h, w) or (h, w), all channels together."""
    squares = np.zeros(values.shape[-2:], np.float32)
    for channel in values.reshape(-1, *values.shape[-2:]):
        for axis in (0, 1):
            if channel.shape[axis] > 1:
                squares += np.gradient(channel, axis=axis) ** 2
    return np.sqrt(squares)


def normalised(strength: Floats) -> Floats:
    """Divided by its 95th percentile; a flat picture's stays 0."""
    # a hundredth of the least step of an 8-bit picture is rounding, not an edge
    return strength / np.float32(max(float(np.percentile(strength, 95)), 1e-3))


def surroundings(lab: Floats) -> Floats:
    """Mean lightness, its standard deviation and the mean colourfulness around each pixel."""
    mean = blur(lab, TEXTURE_SIGMA)
    squares = blur(lab[0] * lab[0], TEXTURE_SIGMA)
    deviation = np.sqrt(np.maximum(squares - mean[0] * mean[0], 0))
    return np.stack((mean[0], deviation, np.hypot(mean[1], mean[2])))


def bins(channels: Floats, flat: tuple[float, float, float]) -> NDArray[np.int32]:
    """Bin of each pixel between the least and the largest value that each channel (3, h, w) has."""
    rows = channels.reshape(3, -1)
    low, high = rows.min(axis=1), rows.max(axis=1)
    width = np.maximum(high - low, np.array(flat, np.float32)) + np.float32(1e-3)
    places = ((rows - ((low + high) / 2)[:, None]) / width[:, None] + np.float32(0.5)) * BINS
    part = np.clip(places, 0, BINS - 1).astype(np.int32)
    combined: NDArray[np.int32] = (part[0] * BINS + part[1]) * BINS + part[2]
    return combined

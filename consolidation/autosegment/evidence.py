"""What colours and textures say: whose is each pixel, if so much of the crop is the object's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.crop import Floats
from consolidation.autosegment.features import BINS, Features
from consolidation.kernels.histograms import log_ratios, weighted_histograms

CLIP = 4.0
"""Largest evidence of a pixel, as a logarithm of how much likelier it is."""
UNSEEN = 1e-4
"""Share of a colour that neither side has."""
TEXTURE = 0.4
"""Weight of texture against colour's rest: on cells +.02 of IoU against 0, elsewhere +-.002."""
_SPREAD = 0.8


def color_evidence(features: Features, inside: Floats, outside: Floats) -> Floats:
    """Log ratio (h, w) of each pixel's colour inside an object and outside it.

    Parameters
    ----------
    features : Features
    inside, outside : arrays (h, w), float32
        How much each pixel teaches of the two, 0 to 1.
    """
    return _evidence(features.color, inside, outside)


def evidence(features: Features, inside: Floats, outside: Floats) -> Floats:
    """The same, of colour and texture together."""
    color = _evidence(features.color, inside, outside)
    texture = _evidence(features.texture, inside, outside)
    return (1 - TEXTURE) * color + TEXTURE * texture


def _evidence(bins: NDArray[np.int32], inside: Floats, outside: Floats) -> Floats:
    counts = np.empty((2, BINS**3), np.float32)
    weighted_histograms(bins, inside.reshape(-1), outside.reshape(-1), counts)
    cube = counts.reshape(2, BINS, BINS, BINS)
    spread = (0.0, _SPREAD, _SPREAD, _SPREAD)
    shares = ndimage.gaussian_filter(cube, spread, mode="constant", truncate=3.0).reshape(2, -1)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-6)
    out = np.empty(bins.size, np.float32)
    log_ratios(bins, shares, UNSEEN, CLIP, out)
    return out.reshape(inside.shape)

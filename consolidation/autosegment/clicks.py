"""Corrections: each click pulls what is near it, along the picture, into the object or out of it.

All clicks are applied to the object as it was without any, so that their order does not matter
and each can be undone. Near is geodesic: strong edges are far to cross. A click changes only the
piece that it lies in, and only to its own side: nothing far away is lost by a correction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.crop import Bools, Floats
from consolidation.autosegment.division import divided
from consolidation.autosegment.evidence import evidence
from consolidation.autosegment.features import Features
from consolidation.autosegment.points import Click
from consolidation.kernels.paths import cheapest_ways

CROSSING = 4.0
"""What an edge of strength 1 adds to the length of a pixel's way, which is 1."""
REACH = 2.2
"""Way at which a click's influence is 1/e, in distances of the click from the object's border."""
FORCE = 5.0
"""Influence of a click at its own pixel, in logits."""
STEEP, SURE = 4.0, 1.5
"""Logits of the object as it was: so many a radius's distance from its border, at most so many."""
WEIGHT = 0.3
"""Of these logits against the colours' evidence."""

Pixel = tuple[int, int]


def corrected(
    features: Features, mask: Bools, clicks: Sequence[Click], taken: Bools | None = None
) -> Bools:
    """Mask (h, w) of a crop after clicks.

    Parameters
    ----------
    features : Features
    mask : array (h, w), bool
    clicks : sequence of Click
        In the image; those outside the crop do nothing.
    taken : array (h, w), bool, optional
        Pixels of the crop that belong to other objects.
    """
    seeds = [
        (features.frame.pixel(click.x, click.y), click.inside)
        for click in clicks
        if features.frame.holds(click.x, click.y)
    ]
    if not seeds:
        return mask
    logits = _logits(features.edge, mask, seeds)
    share = (1 / (1 + np.exp(-2 * logits))).astype(np.float32)
    other = 1 - share
    free = np.ones(mask.shape, np.bool_)
    if taken is not None:
        share[taken], other[taken], free = 0, 1, ~taken
    seen = evidence(features, share, other)
    prior = 0.5 + WEIGHT * logits
    result = divided(features.edge, prior.astype(np.float32), seen, free)
    for pixel, inside in seeds:
        result[pixel] = inside
    return _touched(mask, result, seeds)


def _logits(edge: Floats, mask: Bools, seeds: Sequence[tuple[Pixel, bool]]) -> NDArray[np.float64]:
    """How sure each pixel is the object's (positive) or not, by the mask and the clicks."""
    # a way out of the crop counts as one out of the object
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    if mask.any():
        size = math.sqrt(np.count_nonzero(mask) / math.pi)
        height = ndimage.distance_transform_edt(~mask)
    else:
        size = min(mask.shape) / 4
        height = np.full(mask.shape, size)
    signed = np.where(mask, depth - 0.5, 0.5 - height)
    logits: NDArray[np.float64] = np.clip(STEEP * signed / max(size, 1.0), -SURE, SURE)
    cost = (1 + CROSSING * np.minimum(edge, 2)).astype(np.float32)
    for pixel, inside in seeds:
        far = max(float(depth[pixel]), float(height[pixel]))
        reach = REACH * min(max(far, 2.0), 0.35 * size + 2)
        influence = _influence(cost, pixel, reach)
        logits = logits + (FORCE if inside else -FORCE) * influence
    # two clicks on one place add up, and no logit needs to be larger than certainty
    return np.clip(logits, -2 * SURE, 2 * SURE)


def _influence(cost: Floats, pixel: Pixel, reach: float) -> Floats:
    """Influence (h, w) of a click: 1 at its pixel, nothing beyond 2.5 times its reach."""
    distance = np.empty(cost.size, np.float32)
    room = [np.empty(cost.size, np.int32) for _ in range(3)]
    start = pixel[0] * cost.shape[1] + pixel[1]
    cheapest_ways(cost, start, -1, 2.5 * reach, distance, *room)
    influence: Floats = np.exp(-np.square(distance.reshape(cost.shape) / reach))
    return influence


def _touched(mask: Bools, result: Bools, seeds: Sequence[tuple[Pixel, bool]]) -> Bools:
    """The mask with those changes that a click of their side lies in."""
    out = mask.copy()
    for side in (True, False):
        pieces, _ = ndimage.label((result != mask) & (result == side))
        for pixel, inside in seeds:
            if inside == side and pieces[pixel]:
                out[pieces == pieces[pixel]] = side
    return out

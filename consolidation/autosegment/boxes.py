"""Where an object touches its box, guessed, when nobody clicked the four points."""

from __future__ import annotations

import numpy as np

from consolidation.autosegment.crop import Floats
from consolidation.autosegment.features import Features, blur
from consolidation.autosegment.points import Box, Extremes, Place

DEPTH = 0.05
"""How far from the box's side an object is looked for, as part of the box's other size."""
SPREAD = 0.25
"""Standard deviation of where objects touch a side around its middle, as part of the side."""


def touching_points(features: Features, box: Box) -> Extremes:
    """The most likely extreme points of an object that fills a box.

    Each is the place along a side where edges near the side are strongest, places near the
    middle preferred.
    """
    x0, y0, x1, y1 = box
    frame = features.frame
    (top, left), (bottom, right) = frame.pixel(x0, y0), frame.pixel(x1, y1)
    edge = blur(features.edge, 1.0)[top : bottom + 1, left : right + 1]
    across, along = (max(1, round(DEPTH * size)) for size in edge.shape)
    ends = (edge[:across], edge[:, -along:].T, edge[-across:], edge[:, :along].T)
    shares = [_likeliest(end.max(axis=0)) for end in ends]

    def between(low: float, high: float, share: float) -> float:
        return low + share * (high - low)

    places: list[Place] = [
        (between(x0, x1, shares[0]), y0),
        (x1, between(y0, y1, shares[1])),
        (between(x0, x1, shares[2]), y1),
        (x0, between(y0, y1, shares[3])),
    ]
    return Extremes(*places)


def _likeliest(strength: Floats) -> float:
    """Place along a side, 0 to 1."""
    share = (np.arange(strength.size) + 0.5) / strength.size
    prior = np.exp(-0.5 * ((share - 0.5) / SPREAD) ** 2)
    return float(share[int(np.argmax((strength + 0.1) * prior))])

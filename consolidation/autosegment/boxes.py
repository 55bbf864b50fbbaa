"""Where an object touches its box, guessed, when nobody clicked the four points."""

from __future__ import annotations

import numpy as np

from consolidation.autosegment.candidates import candidates
from consolidation.autosegment.crop import Bools, Floats, Frame
from consolidation.autosegment.features import Features, blur
from consolidation.autosegment.points import Box, Extremes, Place

DEPTH = 0.05
"""How far from the box's side an object is looked for, as part of the box's other size."""
SPREAD = 0.25
"""Standard deviation of where objects touch a side around its middle, as part of the side."""


def touching_points(features: Features, box: Box, taken: Bools | None = None) -> Extremes:
    """The most likely extreme points of an object that fills a box.

    Guessed from edges near the box's sides first; then those of the star outline through the
    guessed ones, which wins .01 to .02 of IoU over the guess.
    """
    star = candidates(features, _strongest(features, box), taken).masks["star"]
    return _reaching(features.frame, box, star) if star.any() else _strongest(features, box)


def _reaching(frame: Frame, box: Box, mask: Bools) -> Extremes:
    """Where a mask of the crop reaches farthest, moved to the box's sides."""
    x0, y0, x1, y1 = box
    rows, columns = np.nonzero(mask)

    def x_of(end: int) -> float:
        column = float(np.median(columns[rows == end]))
        return min(max((column + 0.5) * frame.step - 0.5 + frame.left, x0), x1)

    def y_of(end: int) -> float:
        row = float(np.median(rows[columns == end]))
        return min(max((row + 0.5) * frame.step - 0.5 + frame.top, y0), y1)

    return Extremes(
        (x_of(rows.min()), y0),
        (x1, y_of(columns.max())),
        (x_of(rows.max()), y1),
        (x0, y_of(columns.min())),
    )


def _strongest(features: Features, box: Box) -> Extremes:
    """Where edges near each side are strongest, places near its middle preferred."""
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

"""What the object may be, by four outlines, and what they and the colours together say.

The shape alone (*smooth*), the edges alone (*path*), edges of the picture and of the colours'
evidence (a second path) and the best star-shaped outline (*star*) vote; the vote, the evidence of
colours and textures and a short border along edges are then weighed against one another in one
fair division (`kernels.cuts`), which is the *vote*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from consolidation.autosegment.crop import Bools, Floats
from consolidation.autosegment.division import divided
from consolidation.autosegment.evidence import color_evidence, evidence
from consolidation.autosegment.features import STRONG, Features, blur, gradient, normalised
from consolidation.autosegment.outlines import (
    Wire,
    filled,
    mean_strength,
    smooth_outline,
    star_outline,
)
from consolidation.autosegment.points import Extremes

ALTERNATIVES = ("vote", "smooth", "path", "star")
"""Names of what a worker can choose from."""
VOTES = 2.0
"""Votes of each outline that looks at the picture."""
SMOOTH_VOTES = (1.0, 3.0)
"""Of the shape alone: where it follows edges badly, and where as well as the path does."""
SMOOTH_STRENGTH = (0.5, 0.9)
"""Mean edge strength along it, as part of the path's, that earns those votes."""
SMALL_VOTES, SMALL = 3.0, (40.0, 80.0)
"""More votes of the shape for objects of at most 40 pixels of the crop, none from 80 on: a small
object's border is few pixels, of which noise is many (small cells: +.02 of IoU)."""
NEAR = 0.3
"""How much a pixel teaches of what is not the object, within the box; 1 beyond it."""
LEAST_KEPT = 0.25
"""Part of what the outlines agree on that the division must leave; else colours mislead it."""
LINE = 2.0
"""Pixels of a crop between opposite points below which an object is a line: its path is all."""
EXPECTED_IOU = (0.0, 0.4, 0.66, 0.77, 0.85, 0.94, 1.0), (0.2, 0.4, 0.5, 0.66, 0.75, 0.9, 0.97)
"""Agreements of outlines, and mean IoU with the truth of objects that have them (263 objects)."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Masks (h, w) of a crop.

    Attributes
    ----------
    masks : dict
        By the names of `ALTERNATIVES`.
    agreement : float
        Mean IoU of the outlines that look at the picture with the vote, 0 to 1.
    """

    masks: dict[str, Bools]
    agreement: float

    @property
    def confidence(self) -> float:
        """The vote's IoU with the truth to be expected, 0 to 1."""
        return float(np.interp(self.agreement, *EXPECTED_IOU))


def candidates(features: Features, extremes: Extremes, taken: Bools | None = None) -> Candidates:
    """Find an object's candidates.

    Parameters
    ----------
    features : Features
    extremes : Extremes
        In the image.
    taken : array (h, w), bool, optional
        Pixels of the crop that belong to other objects.
    """
    edge, shape = features.edge, features.edge.shape
    if taken is not None and taken.any():
        edge = _with_border(edge, taken)
    corners = np.array([features.frame.inside(*point) for point in extremes], np.float32)
    wire = Wire(corners, edge.shape, taken)
    smooth_line, path_line = smooth_outline(corners), wire.path(edge)
    smooth, path = filled(smooth_line, shape), filled(path_line, shape)
    teaches = np.ones(shape, np.float32)
    teaches[wire.rows, wire.columns] = NEAR
    if taken is not None:
        teaches[taken] = 1

    soft = blur(path.astype(np.float32), 2.0)
    colors = color_evidence(features, *_lessons(soft, teaches, taken))
    likely: Floats = (1 / (1 + np.exp(-colors))).astype(np.float32)
    both: Floats = edge + normalised(gradient(blur(likely, 1.5)))
    second = filled(wire.path(both), shape)
    centre = ndimage.center_of_mass(smooth)
    star = filled(star_outline(corners, centre, both, colors), shape)

    strength = mean_strength(edge, smooth_line) / max(mean_strength(edge, path_line), 1e-6)
    own = SMOOTH_VOTES[0]
    if not _cut_off(extremes, features.frame.image_shape):
        own = float(np.interp(strength, SMOOTH_STRENGTH, SMOOTH_VOTES))
        own += float(np.interp(np.ptp(corners, axis=0).max(), SMALL, (SMALL_VOTES, 0)))
    votes = own * smooth + VOTES * (path.astype(np.float32) + second + star)
    share = (votes / (own + 3 * VOTES)).astype(np.float32)
    seen = evidence(features, *_lessons(blur(share, 1.5), teaches, taken))
    free = np.zeros(shape, np.bool_)
    free[wire.rows, wire.columns] = True
    if taken is not None:
        free &= ~taken
    vote = tidy(divided(edge, blur(share, 1.0), seen, free))
    outlined = tidy((share >= 0.5) & free)
    if np.ptp(corners, axis=0).min() < LINE:
        vote = tidy(path & free)
    elif np.count_nonzero(vote) < LEAST_KEPT * np.count_nonzero(outlined):
        vote = outlined
    masks = dict(zip(ALTERNATIVES, (vote, smooth, tidy(path), tidy(star)), strict=True))
    if taken is not None:
        masks = {name: mask & ~taken for name, mask in masks.items()}
    agreement = float(np.mean([iou(vote, other) for other in (path, second, star)]))
    return Candidates(masks, agreement)


def _cut_off(extremes: Extremes, shape: tuple[int, int]) -> bool:
    """Whether the box ends where the image does: then nobody knows the object's whole shape."""
    left, top, right, bottom = extremes.box
    return min(left, top) < 1 or right > shape[1] - 2 or bottom > shape[0] - 2


def _lessons(share: Floats, teaches: Floats, taken: Bools | None) -> tuple[Floats, Floats]:
    """How much each pixel teaches of the object and of what is not."""
    inside, outside = share, (1 - share) * teaches
    if taken is not None:
        inside, outside = np.where(taken, 0, inside), np.where(taken, 1, outside)
    return inside.astype(np.float32), outside.astype(np.float32)


def _with_border(edge: Floats, taken: Bools) -> Floats:
    """Edges, those of the neighbours among them: two objects that touch share a border."""
    border = ndimage.binary_dilation(taken) & ~taken
    stronger: Floats = np.where(border, np.minimum(edge + 0.5, STRONG), edge)
    stronger[taken] = 0
    return stronger.astype(np.float32)


def tidy(mask: Bools) -> Bools:
    """The largest piece (4-connected), without holes."""
    pieces, n = ndimage.label(mask)
    if n > 1:
        mask = pieces == 1 + np.argmax(np.bincount(pieces.reshape(-1))[1:])
    whole: Bools = ndimage.binary_fill_holes(mask)
    return whole


def iou(mask: Bools, other: Bools) -> float:
    """Intersection over union; 1 for two empty masks."""
    union = np.count_nonzero(mask | other)
    return np.count_nonzero(mask & other) / union if union else 1.0

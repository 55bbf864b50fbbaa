"""From which share of the vote a pixel is foreground: learnt from gold images, if they bear it out.

Every candidate is tried on every gold image. What the choice is worth is told by images that it
was not made on: each is scored by the threshold that is best on all the others. It is taken if
that raises the mean IoU by more than twice its standard error over `MIN_GOLD` images or more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from consolidation.consensus import Calibration
from consolidation.consensus.foreground import CANDIDATES
from consolidation.formats import SourceObject

MIN_GOLD = 10
STANDARD_ERRORS = 2.0


class Threshold(NamedTuple):
    """What gold images say."""

    foreground: float | None = None
    """None where the vote is left to decide."""
    gain: float = math.nan
    error: float = math.nan


def choose_foreground(
    items: Sequence[SourceObject],
    score: Callable[[SourceObject, Calibration | None], float],
) -> Threshold:
    """Choose a threshold by gold images.

    Parameters
    ----------
    items : sequence of SourceObject
        Objects whose truth is known.
    score : callable
        Of an object and a calibration: how close its consensus comes to the truth; NaN if it has
        none.
    """
    if len(items) < MIN_GOLD:
        return Threshold()
    tried = [None, *(Calibration(foreground=value) for value in CANDIDATES)]
    scores = np.array([[score(item, index) for index in tried] for item in items])
    scores = scores[~np.isnan(scores).any(axis=1)]
    if len(scores) < MIN_GOLD:
        return Threshold()
    # of several that are as good, the vote's own, which comes first
    by_others = [int((scores.sum(axis=0) - own).argmax()) for own in scores]
    gains = scores[np.arange(len(scores)), by_others] - scores[:, 0]
    gain, error = float(gains.mean()), float(gains.std(ddof=1) / math.sqrt(len(gains)))
    best = int(scores.sum(axis=0).argmax())
    taken = best > 0 and gain > STANDARD_ERRORS * error
    return Threshold(CANDIDATES[best - 1] if taken else None, gain, error)

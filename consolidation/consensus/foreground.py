"""A threshold for the foreground, learnt from gold images: a crowd that draws too large, cut back.

Where background is one of the classes in dispute, a pixel is foreground if the share of the votes
for any class above 0, in a window of sigma 1 around it, is more than the threshold. One half is
what the smoothed vote does by itself. Nothing in a job can tell whether its workers draw too
large or too small; gold images can.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.smoothing import TIE_SIGMA, gaussian_window
from consolidation.consensus.stack import Stack

CANDIDATES = (0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7, 0.75)
"""Thresholds that are tried on gold images."""
PARTS = 1000
"""A threshold is compared as a whole number of so many parts: nothing is rounded."""


def cut(
    stack: Stack,
    threshold: float,
    min_votes: int,
    allowed: NDArray[np.bool_],
    labels: NDArray[np.integer],
    votes: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Decide foreground against background by the threshold, in place; (H, Wd) what changed.

    Parameters
    ----------
    stack : Stack
    threshold : float
        Above 0, below 1.
    min_votes : int
        Votes that a class needs to be chosen at a pixel.
    allowed : ndarray of shape (65536,), bool
        Classes that may win.
    labels, votes : ndarray of shape (H, Wd)
        The vote's outcome, in and out. Pixels without a class keep none.
    """
    from scipy.ndimage import correlate

    masks = stack.array
    answered = np.ones(masks.shape, np.bool_) if stack.ignore < 0 else masks != stack.ignore
    painted = answered & (masks > 0)
    foreground, voters = painted.sum(axis=0), answered.sum(axis=0)
    window = gaussian_window(TIE_SIGMA).astype(np.int64)
    near, all_near = (correlate(part, window, mode="constant") for part in (foreground, voters))
    inside = PARTS * near > round(PARTS * threshold) * all_near
    background = voters - foreground
    open_ = (foreground > 0) & (background > 0) & (votes > 0)
    changed = np.zeros(labels.shape, np.bool_)
    out = open_ & (labels > 0) & ~inside & (background >= min_votes) & allowed[0]
    labels[out], votes[out] = 0, background[out]
    changed |= out
    # the class above 0 with most votes at the pixel; the lowest of several
    best = np.zeros(labels.shape, votes.dtype)
    chosen = np.zeros_like(labels)
    wanted = open_ & (labels == 0) & inside & ~out
    for label in np.unique(masks[painted & wanted]).tolist():
        count = ((masks == label) & answered).sum(axis=0)
        better = wanted & (count > best) & (count >= min_votes) & allowed[label]
        best[better], chosen[better] = count[better], label
    won = best > 0
    labels[won], votes[won] = chosen[won], best[won]
    return changed | won

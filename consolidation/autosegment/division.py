"""Prior, colours and edges weighed against one another: what is the object's and what is not."""

from __future__ import annotations

import numpy as np

from consolidation.autosegment.crop import Bools, Floats
from consolidation.kernels.cuts import divide

PRIOR = 4.0
"""Weight of the prior; evidence has `EVIDENCE`. Half or twice of either changes IoU by <= .003."""
EVIDENCE = 0.5
GRIP = 1.5
FADE = 2.0
LEAST_GRIP = 0.02
"""Two neighbours hold together by ``GRIP * exp(-FADE * edge) + LEAST_GRIP``."""
ROUNDS = 60
FAR = 10.0
"""Pull of a pixel that cannot be the object's."""


def divided(edge: Floats, prior: Floats, seen: Floats, free: Bools) -> Bools:
    """Object of a crop (h, w).

    Parameters
    ----------
    edge : array (h, w), float32
    prior : array (h, w), float32
        How likely each pixel is the object's without regard to colours, 0 to 1.
    seen : array (h, w), float32
        Evidence of colours.
    free : array (h, w), bool
        Pixels that may be the object's.
    """
    pull = -(PRIOR * (prior - np.float32(0.5)) + EVIDENCE * seen).astype(np.float32)
    pull[~free] = FAR
    grip = (GRIP * np.exp(-FADE * edge) + LEAST_GRIP).astype(np.float32)
    down, right = np.zeros_like(grip), np.zeros_like(grip)
    np.minimum(grip[:-1], grip[1:], out=down[:-1])
    np.minimum(grip[:, :-1], grip[:, 1:], out=right[:, :-1])
    share = (pull < 0).astype(np.float32)
    forces = np.zeros_like(grip), np.zeros_like(grip)
    divide(pull, down, right, ROUNDS, *forces, np.empty_like(grip), share)
    inside: Bools = share >= 0.5
    return inside

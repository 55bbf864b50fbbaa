"""Hypothesis strategies for masks: noise, and smooth images as workers paint them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st


@st.composite
def stacks(draw, max_workers=9, max_classes=5, dtypes=(np.uint8, np.uint16), max_side=24):
    """Masks (W, H, Wd): a common picture of rectangles, each worker's copy disturbed."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n_workers = draw(st.integers(1, max_workers))
    shape = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    n_classes = draw(st.integers(1, max_classes))
    noise = draw(st.sampled_from([0.0, 0.05, 0.3, 1.0]))
    picture = np.zeros(shape, np.int64)
    for _ in range(draw(st.integers(0, 4))):
        top, left = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        picture[top : top + 8, left : left + 8] = rng.integers(0, n_classes)
    masks = np.repeat(picture[None], n_workers, axis=0)
    random = rng.integers(0, n_classes, masks.shape)
    masks = np.where(rng.random(masks.shape) < noise, random, masks)
    return masks.astype(draw(st.sampled_from(dtypes)))

"""What `segment` gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consolidation.autosegment.crop import Bools

PixelBox = tuple[int, int, int, int]
"""Left, top, width, height."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """An object's mask, kept as small as the object is.

    Attributes
    ----------
    box : tuple of int
        Left, top, width and height of the smallest box that holds the mask, in pixels of the
        image. Width and height are 0 if nothing is left.
    crop : array (height, width), bool
        The mask within the box.
    alternative : str
        Which candidate it is: one of `ALTERNATIVES`, ``"mask"`` for a mask that was given, or
        ``"model"`` for a model's answer.
    confidence : float
        The IoU with the truth to be expected of the vote, from how well its outlines agree, or a
        model's own score: 0 to 1; NaN for a mask that was given. Clicks do not change it.
    image_shape : tuple of int
        Rows and columns of the image.
    """

    box: PixelBox
    crop: Bools
    alternative: str
    confidence: float
    image_shape: tuple[int, int] = field(repr=False)
    _choices: Mapping[str, Callable[[], Segmentation]] = field(default_factory=dict, repr=False)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Mask (H, W) of the whole image, made when read."""
        whole = np.zeros(self.image_shape, np.bool_)
        left, top, width, height = self.box
        whole[top : top + height, left : left + width] = self.crop
        return whole

    @cached_property
    def alternatives(self) -> dict[str, Segmentation]:
        """What else can be chosen, by name and after the same clicks; made when read."""
        return {name: make() for name, make in self._choices.items()}


def cut_to_box(mask: Bools, top: int, left: int) -> tuple[PixelBox, Bools]:
    """Box in the image, and the part, of a mask whose first pixel lies at `top`, `left`."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return (left, top, 0, 0), np.zeros((0, 0), np.bool_)
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    height, width = part.shape
    return (left + int(columns[0]), top + int(rows[0]), width, height), part

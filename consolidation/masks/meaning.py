"""What the stored values of a source's masks mean, decided once and kept with the job's classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]

IGNORED = -1
"""Index of values that say nothing."""
FOREIGN = -2
"""Index of values that the source's masks do not hold."""
VOID = (255, 65535)
"""Values by which masks commonly say that a pixel is not labelled."""


@dataclass(frozen=True)
class Meaning:
    """Class index of every value, and of every colour, that a source's masks hold.

    Attributes
    ----------
    values : mapping of int to int
        Class index by stored value, `IGNORED` where it says nothing. Others are foreign.
    colors : mapping of RGB to int
        Class index by colour, of pictures in colour.
    by_color : bool
        Whether palettes and greys are read by their colours, too.
    void_alone : bool
        Whether a mask may hold 0 and a void value alone: not where no other mask has any.
    text : str
        The same for people.

    Examples
    --------
    >>> Meaning({0: 0, 255: 1}).table(np.uint8)[[0, 255, 7]]
    array([ 0,  1, -2], dtype=int32)
    """

    values: Mapping[int, int] = field(default_factory=dict)
    colors: Mapping[RGB, int] = field(default_factory=dict)
    by_color: bool = False
    void_alone: bool = True
    text: str = ""

    @classmethod
    def of_indices(cls, n_classes: int, **more: Any) -> Meaning:
        """Values are class indices, and void values that are none of them are ignored."""
        values = {index: index for index in range(n_classes)}
        values |= {value: IGNORED for value in VOID if value >= n_classes}
        return cls(values, **more)

    def reads_colors_of(self, kind: str) -> bool:
        """Whether a picture of this kind (see `Stored`) is read by its colours."""
        return bool(self.colors) and (self.by_color or kind == "color")

    @cached_property
    def n_plain(self) -> int:
        """Values from 0 on that are class indices as they are."""
        count = 0
        while self.values.get(count) == count:
            count += 1
        return count

    def table(self, dtype: Any) -> NDArray[np.int32]:
        """Class index, `IGNORED` or `FOREIGN` of every value that this dtype has."""
        table = np.full(256 if dtype == np.uint8 else 65536, FOREIGN, np.int32)
        for value, index in self.values.items():
            if value < len(table):
                table[value] = index
        return table

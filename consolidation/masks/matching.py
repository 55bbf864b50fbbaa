"""What a worker's colours mean: from decoded pixels to class indices.

Every pixel means what its RGBA colour means. In order:

1. alpha 0: background;
2. a colour of the answer's own label mapping, alpha 255: that label;
3. black or white, alpha 255: background, counted;
4. within `snap` of a mapped colour (Euclidean distance in RGB), alpha 255: that label, counted;
5. anything else: ignored, that is no vote, counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.kernels.colors import histogram, lookup, map_colors
from consolidation.masks.png import Pixels

RGB = tuple[int, int, int]
_PLAIN, _LABELED, _OPAQUE_BACKGROUND, _SNAPPED, _UNMATCHED = range(5)


@dataclass(frozen=True)
class MatchCounts:
    """Pixels that were not simply transparent or exactly a mapped colour."""

    opaque_background: int = 0
    snapped: int = 0
    unmatched: int = 0
    unknown: tuple[tuple[int, int], ...] = ()
    """Pixels of mapped colours that mean no class of the job: (order, pixels)."""
    foreign: bool = False
    """Whether something is painted, and nothing of it means a class of the job."""


MAX_COLORS = 1 << 16
"""An answer of more colours is no mask, and would take minutes to look through."""


class ColorMatcher:
    """Meaning of colours for one label mapping.

    Parameters
    ----------
    mapping : mapping of RGB to int
        Class index of each mapped colour; negative values -1, -2, ... number colours that mean no
        class of the job and whose pixels are ignored.
    ignore : int
        Value to write for ignored pixels.
    snap : float
        Greatest distance in RGB for rule 4; 0 is off.
    """

    def __init__(self, mapping: Mapping[RGB, int], ignore: int, snap: float = 0.0) -> None:
        self.mapping = dict(mapping)
        self.ignore = ignore
        self.snap = snap
        self._colors = np.array(list(self.mapping), np.int64).reshape(-1, 3)

    def meaning(self, rgba: tuple[int, int, int, int]) -> tuple[int, int]:
        """Value to write for a colour, and which rule says so (negative: no class)."""
        *rgb_, alpha = rgba
        rgb = (rgb_[0], rgb_[1], rgb_[2])
        if alpha == 0:
            return 0, _PLAIN
        if alpha == 255:
            kind = _LABELED
            index = self.mapping.get(rgb)
            if index is None and rgb in ((0, 0, 0), (255, 255, 255)):
                return 0, _OPAQUE_BACKGROUND
            if index is None and self.snap > 0 and len(self._colors):
                squared = ((self._colors - np.array(rgb)) ** 2).sum(axis=1)
                nearest = int(squared.argmin())
                if squared[nearest] <= self.snap**2:
                    index, kind = list(self.mapping.values())[nearest], _SNAPPED
            if index is not None:
                return (index, kind) if index >= 0 else (self.ignore, index)
        return self.ignore, _UNMATCHED

    def match(self, pixels: Pixels, out: NDArray[Any]) -> MatchCounts:
        """Write the class index of every pixel into `out` (H, Wd), uint8 or uint16."""
        if pixels.palette is not None:
            table = np.zeros(256, out.dtype)
            kinds = np.zeros(256, np.int64)
            # the rest of a short palette is transparent black: background, as the table begins
            defined = np.flatnonzero(pixels.palette.any(axis=1))
            length = int(defined[-1]) + 1 if defined.size else 0
            for index, color in enumerate(pixels.palette[:length].tolist()):
                table[index], kinds[index] = self.meaning(tuple(color))
            lookup(pixels.values.reshape(-1), table, length, out.reshape(-1))
            if kinds.max() <= _LABELED and kinds.min() >= 0:
                return MatchCounts()
            used = np.zeros(256, np.int64)
            histogram(pixels.values.reshape(-1), used)
            return _summary(kinds, used)
        values = np.ascontiguousarray(pixels.values)
        channels = values.shape[2]
        return self._match_direct(values.reshape(-1, channels), out.reshape(-1))

    def _match_direct(self, colors: NDArray[np.uint8], out: NDArray[Any]) -> MatchCounts:
        """Colours (N, 3 or 4): the kernel stops at each colour it has not met."""
        size = 1 << 12
        keys = np.full(size, -1, np.int64)
        table = np.zeros(size, out.dtype)
        kinds = np.zeros(size, np.int64)
        counts = np.zeros(size, np.int64)
        known = position = 0
        while True:
            position, slot = map_colors(colors, position, keys, table, counts, out)
            if position == len(colors):
                return _summary(kinds, counts)
            if known == MAX_COLORS:
                raise AnswerError(f"it has more than {MAX_COLORS:,} colours: a picture, not a mask")
            if 4 * known >= 3 * len(keys):
                keys, table, kinds, counts = _doubled(keys, table, kinds, counts)
                continue
            rgba = (*colors[position].tolist(), 255)[:4]
            keys[slot] = int.from_bytes(bytes(rgba), "little")
            table[slot], kinds[slot] = self.meaning(rgba)
            known += 1


def _doubled(
    keys: NDArray[np.int64], *columns: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the same hash table with four times the room."""
    from consolidation.kernels.colors import free_slot

    size = 4 * len(keys)
    grown_keys = np.full(size, -1, np.int64)
    grown = [np.zeros(size, column.dtype) for column in columns]
    for old in np.flatnonzero(keys >= 0):
        slot = free_slot(grown_keys, keys[old])
        grown_keys[slot] = keys[old]
        for new_column, column in zip(grown, columns, strict=True):
            new_column[slot] = column[old]
    return grown_keys, grown[0], grown[1], grown[2]


def _summary(kinds: NDArray[np.int64], counts: NDArray[np.int64]) -> MatchCounts:
    """Add up pixels by the rule that applied."""
    unknown = []
    for kind in sorted({int(kind) for kind in kinds if kind < 0}, reverse=True):
        pixels = int(counts[kinds == kind].sum())
        if pixels:
            unknown.append((-kind - 1, pixels))
    labeled = counts[(kinds == _LABELED) | (kinds == _SNAPPED)].any()
    unmatched = int(counts[kinds == _UNMATCHED].sum())
    return MatchCounts(
        opaque_background=int(counts[kinds == _OPAQUE_BACKGROUND].sum()),
        snapped=int(counts[kinds == _SNAPPED].sum()),
        unmatched=unmatched,
        unknown=tuple(unknown),
        foreign=not labeled and (unmatched > 0 or bool(unknown)),
    )

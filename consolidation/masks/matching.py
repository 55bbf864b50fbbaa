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
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.kernels._lanes import LANES
from consolidation.kernels.colors import free_slot, histogram, lookup, map_colors
from consolidation.kernels.png_colors import N_ABOVE, map_rows
from consolidation.masks.inflate import strips
from consolidation.masks.png_decode import Picture, Pixels, palette_of

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

    def read(self, picture: Picture, out: NDArray[Any]) -> MatchCounts:
        """Unpack a picture and write the class index of every pixel, in one pass over it.

        Parameters
        ----------
        picture : Picture
        out : ndarray of shape (H, Wd), uint8 or uint16, C-contiguous, out

        Raises
        ------
        AnswerError
            If the picture is damaged, or has too many colours to be a mask.
        """
        if not picture.plain:
            return self.match(picture.pixels(), out)
        if not picture.indexed:
            return self._read_colors(picture, out)
        key = tuple(self.mapping.items()), self.ignore, self.snap, picture.color_key
        meanings = _cached_meanings(*key, out.dtype.char)
        counts = picture.look_up(meanings.table, meanings.length, meanings.counted, out)
        return _summary(meanings.kinds, counts) if meanings.counted.size else MatchCounts()

    def match(self, pixels: Pixels, out: NDArray[Any]) -> MatchCounts:
        """Write the class index of every pixel into `out` (H, Wd), uint8 or uint16."""
        if pixels.palette is not None:
            meanings = self._meanings(pixels.palette, out.dtype)
            lookup(pixels.values.reshape(-1), meanings.table, meanings.length, out.reshape(-1))
            if not meanings.counted.size:
                return MatchCounts()
            used = np.zeros(256, np.int64)
            histogram(pixels.values.reshape(-1), used)
            return _summary(meanings.kinds, used)
        values = np.ascontiguousarray(pixels.values)
        channels = values.shape[2]
        return self._match_direct(values.reshape(-1, channels), out.reshape(-1))

    def _meanings(self, palette: NDArray[np.uint8], dtype: np.dtype[Any]) -> Meanings:
        """What the indices of a palette (256, 4) mean."""
        table = np.zeros(256, dtype)
        kinds = np.zeros(256, np.int64)
        # the rest of a short palette is transparent black: background, as the table begins
        defined = np.flatnonzero(palette.any(axis=1))
        length = int(defined[-1]) + 1 if defined.size else 0
        for index, color in enumerate(palette[:length].tolist()):
            table[index], kinds[index] = self.meaning(tuple(color))
        counted = np.flatnonzero(kinds).astype(np.uint8)
        plain = kinds.max() <= _LABELED and kinds.min() >= 0
        return Meanings(table, length, kinds, counted[:0] if plain else counted)

    def _read_colors(self, picture: Picture, out: NDArray[Any]) -> MatchCounts:
        """RGB or RGBA: as `_match_direct`, while rows are unpacked."""
        known = _KnownColors(self, out.dtype)
        line, channels = picture.header.line, picture.header.bits // 8
        above = np.zeros((-(-picture.header.width // LANES), N_ABOVE), np.int64)
        for buffer, top, n_rows in strips(picture.header, picture.chunks.pixels):
            row = x = 0
            while True:
                row, x, slot = map_rows(
                    buffer,
                    line,
                    line,
                    channels,
                    n_rows,
                    top,
                    row,
                    x,
                    known.keys,
                    known.table,
                    known.counts,
                    above,
                    out,
                )
                if row == n_rows:
                    break
                first = (row + 1) * line + 1 + x * channels
                if not known.add(buffer[first : first + channels].tolist(), slot):
                    # slots have changed
                    above[:] = 0
        return known.summary()

    def _match_direct(self, colors: NDArray[np.uint8], out: NDArray[Any]) -> MatchCounts:
        """Colours (N, 3 or 4): the kernel stops at each colour it has not met."""
        known = _KnownColors(self, out.dtype)
        position = 0
        while True:
            position, slot = map_colors(
                colors, position, known.keys, known.table, known.counts, out
            )
            if position == len(colors):
                return known.summary()
            known.add(colors[position].tolist(), slot)


class Meanings(NamedTuple):
    """What the indices of a palette mean."""

    table: NDArray[Any]
    """(256,): value to write for each, 0 from `length` on."""
    length: int
    kinds: NDArray[np.int64]
    """(256,): the rule that says so."""
    counted: NDArray[np.uint8]
    """Indices whose pixels are counted: all that are not transparent, if any is no label."""


@lru_cache(maxsize=256)
def _cached_meanings(
    mapping: tuple[tuple[RGB, int], ...],
    ignore: int,
    snap: float,
    color_key: tuple[int, int, bytes, bytes],
    dtype: str,
) -> Meanings:
    """The workers of a job mostly share a palette."""
    matcher = ColorMatcher(dict(mapping), ignore, snap)
    return matcher._meanings(palette_of(*color_key), np.dtype(dtype))


class _KnownColors:
    """Hash table of the colours met in one picture, and their pixels."""

    def __init__(self, matcher: ColorMatcher, dtype: np.dtype[Any]) -> None:
        self._matcher = matcher
        self.keys = np.full(1 << 12, -1, np.int64)
        self.table = np.zeros(len(self.keys), dtype)
        self.kinds = np.zeros(len(self.keys), np.int64)
        self.counts = np.zeros(len(self.keys), np.int64)
        self._n = 0

    def add(self, channels: list[int], slot: int) -> bool:
        """Enter a colour where it belongs; False if the table had to grow for it instead."""
        if self._n == MAX_COLORS:
            raise AnswerError(f"it has more than {MAX_COLORS:,} colours: a picture, not a mask")
        if 4 * self._n >= 3 * len(self.keys):
            self._grow()
            return False
        red, green, blue, alpha = (*channels, 255)[:4]
        self.keys[slot] = int.from_bytes(bytes((red, green, blue, alpha)), "little")
        self.table[slot], self.kinds[slot] = self._matcher.meaning((red, green, blue, alpha))
        self._n += 1
        return True

    def _grow(self) -> None:
        """Take four times the room."""
        columns = self.keys, self.table, self.kinds, self.counts
        used = np.flatnonzero(self.keys >= 0)
        self.keys = np.full(4 * len(self.keys), -1, np.int64)
        self.table, self.kinds, self.counts = (
            np.zeros(len(self.keys), column.dtype) for column in columns[1:]
        )
        for old in used:
            slot = free_slot(self.keys, columns[0][old])
            self.keys[slot], self.table[slot] = columns[0][old], columns[1][old]
            self.kinds[slot], self.counts[slot] = columns[2][old], columns[3][old]

    def summary(self) -> MatchCounts:
        """Pixels by rule."""
        return _summary(self.kinds, self.counts)


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

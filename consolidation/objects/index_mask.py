"""Annotations whose pixels are classes by their value: a mask's file, and nothing found at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.errors import AnswerError, ForeignAnswerError, ForeignValueError
from consolidation.masks import Classes, ColorMatcher, hex_color
from consolidation.masks.meaning import FOREIGN, IGNORED, VOID, Meaning
from consolidation.masks.sight import look
from consolidation.masks.stored import Stored, decode_stored, decoder_of
from consolidation.objects.answers import LoadedAnswer, color_warnings
from consolidation.options import Options

_MANY_COLORS = 256
"""More than a mask has, but for smoothed borders."""
_SHOWN = 5
"""Values and colours that a message lists."""


@dataclass(frozen=True)
class MaskFile:
    """A worker's mask of class indices, or of the colours of a class list."""

    uri: str

    def load(self, options: Options) -> LoadedAnswer:
        """Read the file."""
        data = storage.read_bytes(self.uri, options.max_answer_bytes)
        # before its size is believed
        decoder_of(data).check(data)
        return IndexMask(data)


@dataclass(frozen=True)
class BlankMask:
    """A worker who found nothing: all background, of whatever size the other masks have."""

    modified: bool | None = None
    colors: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def load(self, options: Options) -> LoadedAnswer:
        """Return itself: there is no file."""
        return self

    def size(self, options: Options) -> None:
        """No size of its own: it must not outvote the masks that there are."""

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write background into `out`."""
        out[...] = 0
        return []


@dataclass
class IndexMask:
    """Bytes of a picture whose stored values are classes."""

    data: bytes
    modified: bool | None = None
    void: bool = field(default=True, init=False)
    """See `VoidAnswer`."""

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """No colours: whatever they are, they are not the answer's own."""
        return {}

    def size(self, options: Options) -> tuple[int, int]:
        """Height and width."""
        return decoder_of(self.data).size(self.data, options.max_pixels)

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out`, as the job's classes say what values mean.

        Raises
        ------
        AnswerError
            If it is damaged, or no mask.
        ForeignValueError
            If it holds values that mean nothing in its source.
        """
        stored = decode_stored(self.data, options.max_pixels)
        meaning = classes.meaning or Meaning.of_indices(len(classes))
        read = read_stored(stored, out, meaning, ignore, options.snap_colors)
        self.void = read.void
        return read.warnings


class Read(NamedTuple):
    """What came of a mask's pixels."""

    warnings: list[str]
    void: bool = True
    """Whether all that is ignored has a value or a colour that says so."""


def read_stored(
    stored: Stored, out: NDArray[Any], meaning: Meaning, ignore: int, snap: float = 0.0
) -> Read:
    """Write the class indices of a decoded picture into `out` (H, Wd).

    Raises
    ------
    AnswerError
        If it is no mask, or of none of the classes' colours.
    ForeignValueError
        If it holds values that mean nothing in its source.
    """
    if meaning.reads_colors_of(stored.kind):
        return _read_colors(stored, out, meaning, ignore, snap)
    if stored.indices is None:
        raise AnswerError(
            "the mask is a colour picture, and the class list gives no colors: "
            "class indices are a grey or palette PNG"
        )
    out[...] = stored.indices
    if stored.indices.itemsize <= out.itemsize and int(out.max()) < meaning.n_plain:
        return Read([])
    counts = np.bincount(stored.indices.reshape(-1))
    table = meaning.table(stored.indices.dtype)
    used = np.flatnonzero(counts)
    foreign = used[table[used] == FOREIGN]
    if foreign.size:
        flaw = look(stored).flaw
        if flaw is not None:
            raise AnswerError(f"it is {flaw}")
        some = ", ".join(f"{value} ({counts[value]:,} pixels)" for value in foreign[:_SHOWN])
        more = f" and {foreign.size - _SHOWN} more" if foreign.size > _SHOWN else ""
        raise ForeignValueError(
            f"it holds {some}{more}, which mean nothing here: {meaning.text or 'no class'}; "
            "--values says what they mean"
        )
    if not meaning.void_alone and set(used.tolist()) <= {0, *VOID} and used[-1]:
        raise ForeignValueError(
            f"it holds 0 and {used[-1]} alone, as black and white masks do, where others hold "
            "class indices: --values says what they mean"
        )
    indices = table[stored.indices]
    indices[indices == IGNORED] = ignore
    out[...] = indices
    return Read([])


def _read_colors(
    stored: Stored, out: NDArray[Any], meaning: Meaning, ignore: int, snap: float
) -> Read:
    if stored.pixels.values.dtype != np.uint8:
        raise AnswerError(f"it has {stored.depth} bits a pixel, which are no colours")
    counts = ColorMatcher(meaning.colors, ignore, snap).match(stored.pixels, out)
    if 2 * counts.unmatched > out.size and (n_colors := look(stored).n_colors) > _MANY_COLORS:
        raise AnswerError(f"it is a picture of {n_colors:,} colours, most of them no class's")
    if counts.unmatched and not ((out != 0) & (out != ignore)).any():
        seen = [hex_color(color[:3]) for color in look(stored).colors if color[3]]
        listed = ", ".join(hex_color(color) for color in list(meaning.colors)[:_SHOWN])
        raise ForeignAnswerError(
            f"none of its colours is a class's: it has {', '.join(seen[:_SHOWN]) or 'others'}, "
            f"the classes have {listed}"
        )
    # colours that the list calls void are ignored on purpose
    return Read(color_warnings(replace(counts, unknown=()), []), counts.unmatched == 0)

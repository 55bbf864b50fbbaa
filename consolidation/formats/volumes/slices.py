"""A slice of a volume as an object, and each rater's slice as an annotation of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.formats.manifest_file import ManifestLine
from consolidation.formats.volumes.grids import Grid
from consolidation.masks import Classes, Meaning
from consolidation.masks.stored import of_numbers
from consolidation.objects import Answer, LabeledObject, LoadedAnswer
from consolidation.objects.index_mask import read_stored
from consolidation.options import Options


@dataclass(frozen=True)
class SliceAnswer:
    """A rater's slice."""

    grid: Grid
    number: int

    def load(self, options: Options) -> LoadedAnswer:
        """Read it."""
        _, rows, columns = self.grid.shape
        if rows * columns > options.max_pixels:
            raise AnswerError(
                f"it has {columns} x {rows} pixels, the limit is {options.max_pixels:,}"
            )
        return LoadedSlice(self.grid.slice(self.number))


@dataclass(frozen=True)
class LoadedSlice:
    """Class indices of a slice."""

    values: NDArray[Any]
    modified: bool | None = None
    void: bool = True
    """See `VoidAnswer`: what it ignores has the value that says so."""

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """No colours: pixels are indices."""
        return {}

    def size(self, options: Options) -> tuple[int, int]:
        """Height and width."""
        height, width = self.values.shape
        return height, width

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out`, as the job's classes say what values mean."""
        meaning = classes.meaning or Meaning.of_indices(len(classes))
        return read_stored(of_numbers(self.values), out, meaning, ignore).warnings


@dataclass(frozen=True, slots=True)
class VolumeSlice:
    """A slice of an image, by its raters."""

    id: str
    image: str
    raters: tuple[tuple[str, Grid, int], ...]
    """Rater, volume and the slice's number in it."""
    picture: str
    stack: bool = False
    """Whether the raters are pages of one file, and no volume comes of it."""
    error: str | None = None
    line: ManifestLine | None = None

    @property
    def line_number(self) -> int | None:
        """See `SourceObject`."""
        return None if self.line is None else self.line.number

    def load(self) -> LabeledObject:
        """See `SourceObject`."""
        answers: list[tuple[str, Answer]] = [
            (worker, SliceAnswer(grid, number)) for worker, grid, number in self.raters
        ]
        line = {"source-ref": self.picture} if self.line is None else self.line.content()
        return LabeledObject(self.id, line, answers, self.error)

"""The forms of a worker's answer: what can be asked of any, and the labeling widget's picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from consolidation.masks import (
    Chunks,
    Classes,
    ColorMatcher,
    MatchCounts,
    hex_color,
    open_png,
    read_header,
)
from consolidation.objects.foreign import Unknown, foreign_answer
from consolidation.options import Options
from consolidation.text import shown

RGB = tuple[int, int, int]


class Answer(Protocol):
    """One worker's answer to one object, in whatever form it came."""

    def load(self, options: Options) -> LoadedAnswer:
        """Fetch and parse it; ConsolidationError if it cannot be used, or is too large."""


class LoadedAnswer(Protocol):
    """An answer that can say its size and write its class indices."""

    @property
    def modified(self) -> bool | None:
        """Adjustment jobs: whether the worker changed the mask."""

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """Colours by class name; empty where pixels are indices."""

    def size(self, options: Options) -> tuple[int, int] | None:
        """Height and width, read without decoding; None for a blank one that fits any size."""

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out` (H, Wd); return warnings."""


@runtime_checkable
class VoidAnswer(Protocol):
    """A loaded answer that knows pixels left out on purpose."""

    @property
    def void(self) -> bool:
        """Whether, once it is read, all that it ignores has the value its source declares for it.

        Such as the borders of objects in Pascal VOC. Where every worker says so, nobody was to
        label the pixel; everywhere else a pixel without a label is one that nothing is known of.
        """


@dataclass(frozen=True)
class WorkerAnswer:
    """A worker's picture and what its colours mean.

    Attributes
    ----------
    png : bytes
        The picture, a PNG file.
    colors : mapping of label name to RGB
        The answer's own label mapping, painted or not.
    size : (int, int) or None
        Height and width of the image as the worker's browser saw it.
    modified : bool or None
        Only in adjustment jobs: whether the worker changed the earlier mask.
    """

    png: bytes
    colors: Mapping[str, tuple[int, int, int]]
    size: tuple[int, int] | None = None
    modified: bool | None = None


@dataclass(frozen=True)
class PictureAnswer:
    """An answer of the labeling widget: a picture whose colours mean labels."""

    answer: WorkerAnswer
    chunks: Chunks | None = None
    """Of the picture, where they are known to be whole; None for what is no PNG."""

    @property
    def modified(self) -> bool | None:
        """See `LoadedAnswer`."""
        return self.answer.modified

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """See `LoadedAnswer`."""
        return self.answer.colors

    def size(self, options: Options) -> tuple[int, int]:
        """See `LoadedAnswer`."""
        header = read_header(self.answer.png, options.max_pixels)
        return header.height, header.width

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """See `LoadedAnswer`."""
        mapping, unknown = _meanings(self.answer.colors, classes)
        picture = open_png(self.answer.png, options.max_pixels, self.chunks)
        counts = ColorMatcher(mapping, ignore, options.snap_colors).read(picture, out)
        if counts.foreign:
            raise foreign_answer(_painted(counts, unknown), classes)
        warnings = color_warnings(counts, unknown)
        if self.answer.size not in (None, out.shape):
            warnings.append(
                f"its mask is {by(out.shape)} pixels, the worker saw {by(self.answer.size)}"
            )
        return warnings


def _meanings(colors: Mapping[str, RGB], classes: Classes) -> tuple[dict[RGB, int], list[Unknown]]:
    """Class index of each colour; -1, -2, ... for colours that mean none, and what they are."""
    labels: dict[RGB, list[str]] = {}
    for label, color in colors.items():
        labels.setdefault(color, []).append(label)
    mapping: dict[RGB, int] = {}
    unknown: list[Unknown] = []
    for color, names in labels.items():
        index = classes.index(names[0]) if len(names) == 1 else None
        if index is None:
            unknown.append(_unknown(color, names, classes))
            index = -len(unknown)
        mapping[color] = index
    return mapping, unknown


def _unknown(color: RGB, labels: Sequence[str], classes: Classes) -> Unknown:
    if len(labels) == 1:
        return Unknown.label(labels[0], classes)
    # read as any of them, it would be wrong half of the time
    shared = ", ".join(map(shown, labels[:-1])) + f" and {shown(labels[-1])}"
    return Unknown(f"of color {hex_color(color)}, which labels {shared} share")


def _painted(counts: MatchCounts, unknown: Sequence[Unknown]) -> list[str]:
    """Say what is painted that is no class of the job."""
    painted = [unknown[order].of(pixels) for order, pixels in counts.unknown]
    if counts.unmatched:
        painted.append(f"{counts.unmatched:,} pixels of no label's color")
    return painted


def color_warnings(counts: MatchCounts, unknown: Sequence[Unknown]) -> list[str]:
    """Say what became of pixels that are not simply a label's colour."""
    warnings = [unknown[order].ignored(pixels) for order, pixels in counts.unknown]
    if counts.opaque_background:
        warnings.append(
            f"{counts.opaque_background:,} opaque black or white pixels are taken for background"
        )
    if counts.snapped:
        warnings.append(f"{counts.snapped:,} pixels are taken for the nearest label color")
    if counts.unmatched:
        warnings.append(f"{counts.unmatched:,} pixels of no label's color are ignored")
    return warnings


def by(size: Sequence[int] | None) -> str:
    """Size (height, width) as people say it: width x height."""
    return " x ".join(str(side) for side in reversed(size or ()))

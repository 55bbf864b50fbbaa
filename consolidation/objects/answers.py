"""The forms of a worker's answer: what can be asked of any, and the labeling widget's picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from numpy.typing import NDArray

from consolidation.masks import (
    Chunks,
    Classes,
    ColorMatcher,
    MatchCounts,
    open_png,
    read_header,
)
from consolidation.options import Options
from consolidation.text import shown


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
        matcher, unknown = _matcher(
            tuple(self.answer.colors.items()), classes.names, ignore, options.snap_colors
        )
        picture = open_png(self.answer.png, options.max_pixels, self.chunks)
        counts = matcher.read(picture, out)
        warnings = _color_warnings(counts, unknown)
        if self.answer.size not in (None, out.shape):
            warnings.append(
                f"its mask is {by(out.shape)} pixels, the worker saw {by(self.answer.size)}"
            )
        return warnings


@lru_cache(maxsize=256)
def _matcher(
    colors: tuple[tuple[str, tuple[int, int, int]], ...],
    names: tuple[str, ...],
    ignore: int,
    snap: float,
) -> tuple[ColorMatcher, tuple[str, ...]]:
    """Matcher of an answer's colours, and its labels that are no classes; jobs have few."""
    indices = {name: index for index, name in enumerate(names)}
    unknown: list[str] = []
    mapping = {}
    for label, color in colors:
        if label not in indices:
            unknown.append(label)
        mapping[color] = indices.get(label, -len(unknown))
    return ColorMatcher(mapping, ignore, snap), tuple(unknown)


def _color_warnings(counts: MatchCounts, unknown: Sequence[str]) -> list[str]:
    warnings = [
        f"{pixels:,} pixels of label {shown(unknown[order])}, which is no class of this job, "
        "are ignored"
        for order, pixels in counts.unknown
    ]
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

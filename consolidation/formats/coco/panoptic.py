"""Panoptic pictures of COCO: a pixel's colour is the number of its segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from consolidation.formats.drawn import Drawn
from consolidation.formats.files import File
from consolidation.formats.paint import class_index
from consolidation.limits import Limits
from consolidation.masks import Classes, ColorMatcher, check_whole, decode, read_header
from consolidation.objects import LoadedAnswer, Unknown, foreign_answer
from consolidation.options import Options

VOID = (0, 0, 0)
"""Segment 0: nobody knows, which is not background."""


@dataclass(frozen=True, slots=True)
class PanopticMask:
    """A picture, and the label of each of its segments."""

    file: File
    segments: tuple[tuple[int, str | None], ...]

    def load(self, options: Options) -> LoadedAnswer:
        """Read it."""
        png = self.file.read_all(options.max_answer_bytes)
        check_whole(png)
        return LoadedPanopticMask(png, self.segments)


@dataclass
class LoadedPanopticMask:
    """PNG bytes of segments: R + 256 G + 65536 B is the number."""

    png: bytes
    segments: tuple[tuple[int, str | None], ...]
    modified: bool | None = None
    void: bool = field(default=False, init=False)
    """See `VoidAnswer`."""

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """No colours: they are numbers."""
        return {}

    def size(self, options: Options) -> tuple[int, int]:
        """Height and width."""
        header = read_header(self.png, options.max_pixels)
        return header.height, header.width

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out`; what has no segment is ignored."""
        unknown = [Unknown("of no segment")]
        mapping = {VOID: -1}
        for number, label in self.segments:
            index = None if label is None else class_index(classes, label)
            if index is None:
                unknown.append(Unknown.label(label, classes))
                index = -len(unknown)
            mapping[number & 255, number >> 8 & 255, number >> 16 & 255] = index
        counts = ColorMatcher(mapping, ignore, 0.0).match(decode(self.png, options.max_pixels), out)
        painted = [(unknown[order], pixels) for order, pixels in counts.unknown if order]
        if counts.unmatched:
            painted.append((Unknown("of no segment of it"), counts.unmatched))
        if counts.foreign and painted:
            raise foreign_answer([what.of(pixels) for what, pixels in painted], classes)
        self.void = not painted
        return [what.ignored(pixels) for what, pixels in painted]


@dataclass(frozen=True, slots=True)
class PanopticPart:
    """An annotator's panoptic picture of an image."""

    worker: str
    mask: PanopticMask

    def read(self, limits: Limits) -> list[Drawn]:
        """See `Part`."""
        return [Drawn(self.worker, None, answer=self.mask)]

"""What tools for annotation have in common: annotators drew regions, which become class masks.

A format parses its files into `Drawn`, one an annotator and image. Nothing is decoded before the
object is consolidated, in whatever process that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.formats.manifest_file import ManifestLine
from consolidation.formats.paint import Region, paint
from consolidation.formats.pictures import picture_size
from consolidation.limits import Limits
from consolidation.masks import Classes
from consolidation.objects import Answer, LabeledObject, LoadedAnswer, foreign_answer
from consolidation.options import Options

_NO_SIZE = "the size of its image is not known: put the picture beside the export"


@dataclass(frozen=True)
class Painting:
    """How regions become a mask.

    Attributes
    ----------
    ignore_unpainted : bool
        Whether pixels that no region covers say nothing, instead of background.
    priority : tuple of str
        Labels whose regions lie above all others, the first one on top.
    only : str or None
        The one label that counts, where classes are voted on one by one.
    """

    ignore_unpainted: bool = False
    priority: tuple[str, ...] = ()
    only: str | None = None


class Drawn(NamedTuple):
    """What one annotator drew on one image.

    Attributes
    ----------
    worker : str
    size : (int, int) or None
        Height and width of the image; None: not known, or no matter.
    regions : sequence of Region
        From the lowest to the one on top.
    notes : tuple of str
        What the format left out or has doubts about.
    error : str
        Why nothing of it can be used; empty if it can.
    truth : bool
        Whether it is the truth, and no vote.
    order : str
        The same worker's latest has the highest.
    seconds : float or None
        Time spent on it.
    answer : Answer or None
        What counts instead of regions, where a mask was exported as a picture.
    """

    worker: str
    size: tuple[int, int] | None
    regions: Sequence[Region] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    truth: bool = False
    order: str = ""
    seconds: float | None = None
    answer: Answer | None = None


@dataclass(frozen=True)
class DrawnAnswer:
    """An annotator's regions as an answer."""

    drawn: Drawn
    painting: Painting
    modified: bool | None = None

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """No colours: labels are names."""
        return {}

    def load(self, options: Options) -> LoadedAnswer:
        """Return itself; AnswerError if nothing of it can be used."""
        if self.drawn.error:
            raise AnswerError(self.drawn.error)
        if self.drawn.size is None:
            if self.drawn.regions:
                raise AnswerError(_NO_SIZE)
            return self
        height, width = self.drawn.size
        if height < 1 or width < 1 or height * width > options.max_pixels:
            raise AnswerError(
                f"its image has {width} x {height} pixels, the limit is {options.max_pixels:,}"
            )
        return self

    def size(self, options: Options) -> tuple[int, int] | None:
        """Height and width; None for a blank one that fits any size."""
        return self.drawn.size

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out`; AnswerError if it is damaged, or foreign."""
        how, regions = self.painting, self.drawn.regions
        if how.only is not None:
            regions = [region for region in regions if region.label == how.only]
        unpainted = ignore if how.ignore_unpainted else 0
        seen = paint(regions, classes, out, ignore, unpainted=unpainted, priority=how.priority)
        if seen.unknown.total() and not seen.known:
            raise foreign_answer(seen.foreign(classes), classes)
        return [*self.drawn.notes, *seen.warnings()]


class Part(Protocol):
    """Where annotations of an object lie: small, and the same in another process."""

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """Parse them; ConsolidationError if that cannot be."""


@dataclass(frozen=True, slots=True)
class DrawnObject:
    """An image, and where its annotations lie."""

    id: str
    parts: tuple[Part, ...]
    picture: str = ""
    line: ManifestLine | None = None
    painting: Painting = field(default_factory=Painting)
    truth: bool = False
    """Whether the truth is read instead of the votes."""
    limits: Limits = field(default_factory=Limits)

    @property
    def line_number(self) -> int | None:
        """See `SourceObject`."""
        return None if self.line is None else self.line.number

    def load(self) -> LabeledObject:
        """See `SourceObject`."""
        drawn = []
        for part in self.parts:
            drawn += [drawing for drawing in part.read(self.limits) if drawing.truth == self.truth]
        # stable: what has no order stays in that of the file
        drawn.sort(key=lambda drawing: drawing.order)
        answers = [
            (drawing.worker, drawing.answer or DrawnAnswer(drawing, self.painting))
            for drawing in self._with_sizes(drawn)
        ]
        seconds = {
            drawing.worker: drawing.seconds for drawing in drawn if drawing.seconds is not None
        }
        line = {"source-ref": self.picture} if self.line is None else self.line.content()
        return LabeledObject(self.id, line, answers, seconds=seconds)

    def _with_sizes(self, drawn: list[Drawn]) -> list[Drawn]:
        """The same, of which none lacks a size that another one or the picture tells."""
        if all(drawing.size is not None or drawing.error or drawing.answer for drawing in drawn):
            return drawn
        sizes = {drawing.size for drawing in drawn if drawing.size is not None}
        size = sizes.pop() if len(sizes) == 1 else None
        if not sizes and size is None and not any(drawing.answer for drawing in drawn):
            size = picture_size(self.picture)
            if size is None:
                # nobody painted anything, or what tells no size
                return [drawing._replace(error=drawing.error or _NO_SIZE) for drawing in drawn]
        return [
            drawing._replace(size=size) if drawing.size is None else drawing for drawing in drawn
        ]

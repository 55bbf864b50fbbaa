"""What a source of labeled objects is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from consolidation.formats.class_list import ClassList
from consolidation.formats.manifest_file import ManifestFile
from consolidation.formats.place import Place
from consolidation.formats.values import ValueReading
from consolidation.limits import DEFAULT_LIMITS, Limits
from consolidation.masks import MAX_PIXELS, Classes
from consolidation.objects.prepare import LabeledObject
from consolidation.options import Options


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source; each source uses what concerns it."""

    masks: str = "{image}/worker_{worker}.png"
    """Folder of masks: where a worker's mask of an image lies."""
    missing_is_blank: bool = False
    """Folder of masks: a missing file means that the worker found nothing."""
    values: str = ""
    """Folder of masks: what stored values mean, such as ``0=background,255=cell``; or ``index``."""
    by: str = "auto"
    """Folder of masks: whether palettes mean classes by ``index`` or by ``color``."""
    no_background: bool = False
    """Folder of masks: class 0 is a class like the others."""
    max_pixels: int | None = None
    limits: Limits = DEFAULT_LIMITS
    labels: str | Path | None = None
    """Label-categories file of the job; without it the source tells its classes."""
    manifest: str | Path | None = None
    """Input manifest of the job: its lines, in its order, become the output manifest."""
    format: str = ""
    """Name of the format, where it is not to be found out."""
    unpainted: str = "background"
    """What a pixel says that no region covers: ``background``, or nothing (``ignore``)."""
    priority: tuple[str, ...] = ()
    """Labels that lie above all others where regions overlap, the first one on top."""
    multilabel: bool = False
    """Whether classes are voted on one by one, each with a mask of its own."""
    annotator_field: str = ""
    """Field of an annotation that names the annotator (COCO), where it has an unusual name."""
    emails: bool = False
    """Whether annotators are called by their e-mail addresses where a tool exports them."""
    preset: str = ""
    """Name of a data set whose layout is known, instead of a pattern."""

    def within(self, options: Options) -> SourceOptions:
        """Return the same with the limits of a run's options, and what these say of sources."""
        return replace(
            self,
            limits=options.limits,
            max_pixels=options.max_pixels,
            values=options.values,
            by=options.by,
            no_background=options.no_background,
        )

    @property
    def value_reading(self) -> ValueReading:
        """What is said of the stored values of masks."""
        return ValueReading(
            values=self.values,
            by=self.by,
            no_background=self.no_background,
            max_pixels=self.max_pixels or MAX_PIXELS,
            max_bytes=self.limits.answer_bytes,
        )

    def of_format(self) -> dict[str, Any]:
        """What was chosen besides the defaults, of what only some formats use; JSON-ready."""
        return {
            option.name: list(value) if isinstance(value, tuple) else value
            for option in fields(self)
            if option.name in _OF_FORMAT and (value := getattr(self, option.name)) != option.default
        }

    @staticmethod
    def format_of(content: Mapping[str, Any]) -> dict[str, Any]:
        """Inverse of `of_format`, whatever else the content has."""
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in content.items()
            if name in _OF_FORMAT
        }


_OF_FORMAT = (
    *("format", "preset", "unpainted", "priority", "multilabel", "annotator_field", "emails"),
)


class SourceObject(Protocol):
    """Where one object lies: small, and the same in another process."""

    @property
    def id(self) -> str:
        """Id, different from those of all others."""

    @property
    def line_number(self) -> int | None:
        """Place of its line in the job's manifest; None if there is no manifest, or no line."""

    def load(self) -> LabeledObject:
        """Read it; ConsolidationError if it cannot be read."""


class Source(ABC):
    """A job's labeled objects, in a fixed order.

    Attributes
    ----------
    name : str
        What ``--format`` calls it.
    kind : str
        What it is, for people.
    items : sequence of SourceObject
    manifest : ManifestFile or None
        The job's input manifest, if it is known.
    folder : str
        Where relative names of pictures start from.
    notes : sequence of str
        What was left out or decided when the source was opened, for people.
    assembles : bool
        Whether its objects are parts of something that is written too.
    """

    name: str
    kind: str
    folder: str
    items: Sequence[SourceObject]
    manifest: ManifestFile | None = None
    notes: Sequence[str] = ()
    assembles: bool = False

    @classmethod
    @abstractmethod
    def recognises(cls, place: Place) -> bool:
        """Whether a source of this kind lies there, at a glance."""

    @abstractmethod
    def __init__(self, place: Place, options: SourceOptions) -> None:
        """Open the source; SourceError if it cannot be read or is empty."""

    @abstractmethod
    def classes(self) -> Classes:
        """Classes that the source itself tells, by a file or by a pass over all answers."""

    def classes_of(self, listed: ClassList) -> Classes:
        """Classes of a list that the caller gives: labels that workers paint with."""
        return listed.of_labels()

    def reads(self, name: str) -> bool:
        """Whether a file of this name below its folder would be one of its masks."""
        return False

    @abstractmethod
    def stamp(self) -> str:
        """Text that changes when any of its files does."""

    def assemble(self, out: str, mask_of: Callable[[str], Any]) -> list[str]:
        """Write what the objects are parts of, and return where; only if it `assembles`.

        Parameters
        ----------
        out : str
            Folder of a run that is over.
        mask_of : callable
            From an object's id to a function that reads its consensus (H, Wd); None without.
        """
        return []

    def truths(self) -> Mapping[str, SourceObject]:
        """Objects whose truth the source tells itself, by id: read, the truth is their answer."""
        return {}

    @property
    def ids(self) -> Sequence[str]:
        """Ids of its objects, in order."""
        return [item.id for item in self.items]

    def objects(self) -> Iterator[LabeledObject]:
        """Read its objects, one after another."""
        for item in self.items:
            yield item.load()

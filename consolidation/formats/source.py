"""What a source of labeled objects is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from consolidation.formats.manifest_file import ManifestFile
from consolidation.formats.place import Place
from consolidation.limits import DEFAULT_LIMITS, Limits
from consolidation.masks import Classes
from consolidation.objects.prepare import LabeledObject


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source; each source uses what concerns it."""

    masks: str = "{image}/worker_{worker}.png"
    """Folder of masks: where a worker's mask of an image lies."""
    missing_is_blank: bool = False
    """Folder of masks: a missing file means that the worker found nothing."""
    max_pixels: int | None = None
    limits: Limits = DEFAULT_LIMITS
    labels: str | Path | None = None
    """Label-categories file of the job; without it the source tells its classes."""
    manifest: str | Path | None = None
    """Input manifest of the job: its lines, in its order, become the output manifest."""


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
    kind : str
        What it is, for people.
    items : sequence of SourceObject
    manifest : ManifestFile or None
        The job's input manifest, if it is known.
    folder : str
        Where relative names of pictures start from.
    """

    kind: str
    folder: str
    items: Sequence[SourceObject]
    manifest: ManifestFile | None = None

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

    @abstractmethod
    def stamp(self) -> str:
        """Text that changes when any of its files does."""

    @property
    def ids(self) -> Sequence[str]:
        """Ids of its objects, in order."""
        return [one.id for one in self.items]

    def objects(self) -> Iterator[LabeledObject]:
        """Read its objects, one after another."""
        for one in self.items:
            yield one.load()

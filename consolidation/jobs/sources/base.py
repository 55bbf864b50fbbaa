"""What a source of labeled objects is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consolidation.masks import Classes
from consolidation.prepare import LabeledObject


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source; each source uses what concerns it."""

    masks: str = "{image}/worker_{worker}.png"
    """Folder of masks: where a worker's mask of an image lies."""
    missing_is_blank: bool = False
    """Folder of masks: a missing file means that the worker found nothing."""
    max_pixels: int | None = None


class Source(ABC):
    """A job's labeled objects, in a fixed order."""

    kind: str
    """What it is, for people."""

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path) -> bool:
        """Whether this path is a source of this kind, at a glance."""

    @abstractmethod
    def __init__(self, path: Path, options: SourceOptions) -> None:
        """Open the source; SourceError if it cannot be read or is empty."""

    @property
    @abstractmethod
    def ids(self) -> Sequence[str]:
        """Ids of its objects, all different, in order."""

    @abstractmethod
    def objects(self) -> Iterator[LabeledObject]:
        """Yield its objects, in the order of `ids`."""

    @abstractmethod
    def classes(self) -> Classes:
        """Classes that the source itself tells, by a file or by a pass over all answers."""

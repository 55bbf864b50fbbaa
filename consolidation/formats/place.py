"""Where a source lies: a file, or a folder or prefix with everything below it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.storage import Entry

FOLDER = ".consolidation"
"""What a run goes on by, in its output folder."""
RUN_FOLDER = f"{FOLDER}/"
RUN_FILE = f"{RUN_FOLDER}run.json"


@dataclass(frozen=True)
class Place:
    """A file if `entries` is None, else a folder.

    Attributes
    ----------
    uri : str
        Path or ``s3://`` URI.
    entries : tuple of Entry, or None
        Everything below the folder, sorted by name.
    """

    uri: str
    entries: tuple[Entry, ...] | None = None

    @classmethod
    def at(cls, path: str | Path) -> Place:
        """Look at a path; SourceError if nothing is there."""
        if storage.is_s3(path):
            uri = str(path)
            if not uri.endswith("/") and uri.count("/") > 2 and storage.exists(uri):
                return cls(uri)
            entries = tuple(storage.entries(uri))
            if not entries:
                raise SourceError(f"{uri} does not exist: no object of that name or below it")
            return cls(uri.rstrip("/"), _without_results(entries))
        local = storage.local(path)
        try:
            if local.is_dir():
                return cls(str(local), _without_results(storage.entries(local, links_out=False)))
            if local.exists():
                return cls(str(local))
        except (OSError, ValueError) as error:  # such as a name that is too long
            raise SourceError(f"{path}: {getattr(error, 'strerror', error)}") from None
        raise SourceError(f"{path} does not exist")

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.entries or ()}

    @cached_property
    def beginnings(self) -> dict[Any, Any]:
        """What formats have seen of its files while the source was looked for."""
        return {}

    @property
    def folder(self) -> str:
        """The folder itself, or the one that the file lies in."""
        if self.entries is not None:
            return self.uri
        if storage.is_s3(self.uri):
            return self.uri.rpartition("/")[0]
        return str(Path(self.uri).parent)

    def named(self, below: str = "") -> str:
        """Name of the folder, or of one below it."""
        uri = self.folder if storage.is_s3(self.uri) else Path(self.folder).resolve().as_posix()
        return f"{uri}/{below}".rstrip("/").rpartition("/")[2]

    def below(self, name: str) -> str:
        """Path or URI of something below the folder."""
        return storage.join(self.folder, *name.split("/"))

    def beside(self, name: str) -> str | None:
        """Path or URI of a file of this name in the folder, None if there is none."""
        if self.entries is not None:
            return self.below(name) if name in self._by_name else None
        return self.below(name) if storage.exists(self.below(name)) else None

    def stamp(self, names: Iterable[str] | None = None) -> str:
        """Hash of names, sizes and times (or ETags) of files below the folder, or of the file."""
        entries: list[Entry | None]
        if self.entries is None:
            entries = [storage.about(self.uri)]
        else:
            entries = [self._by_name[name] for name in sorted(names or ())]
        digest = hashlib.sha256()
        for entry in entries:
            digest.update(repr(entry and tuple(entry)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def _without_results(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries but those that a run left, whose output folder may lie within its source."""
    runs = tuple(
        entry.name.removesuffix(RUN_FILE) for entry in entries if entry.name.endswith(RUN_FILE)
    )
    # of a run into the source itself, what it keeps for itself
    left = tuple(folder or RUN_FOLDER for folder in runs if not folder or folder.endswith("/"))
    return tuple(entry for entry in entries if not (left and entry.name.startswith(left)))

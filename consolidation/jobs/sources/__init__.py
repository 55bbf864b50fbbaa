"""Where labeled objects come from. A new kind of source is one file here and one line below."""

from __future__ import annotations

from pathlib import Path

from consolidation.errors import SourceError
from consolidation.jobs.sources.base import Source, SourceOptions
from consolidation.jobs.sources.folder import FolderSource
from consolidation.jobs.sources.requests import RequestSource

SOURCES: tuple[type[Source], ...] = (RequestSource, FolderSource)
"""In the order in which they are tried."""


def open_source(path: str | Path, options: SourceOptions | None = None) -> Source:
    """Open whatever kind of source is at `path`; SourceError if none is."""
    path = Path(path)
    try:
        exists = path.exists()
    except OSError as error:  # such as a name that is too long
        raise SourceError(f"{path}: {error.strerror}") from None
    if not exists:
        raise SourceError(f"{path} does not exist")
    for kind in SOURCES:
        if kind.recognises(path):
            return kind(path, options or SourceOptions())
    raise SourceError(f"{path} is neither a consolidation request nor a folder of masks")


__all__ = ["SOURCES", "FolderSource", "RequestSource", "Source", "SourceOptions", "open_source"]

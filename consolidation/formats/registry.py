"""Where labeled objects come from. A new kind of source is one file here and one line below."""

from __future__ import annotations

from pathlib import Path

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.formats.finished_job import FinishedJob
from consolidation.formats.groundtruth import parse_classes
from consolidation.formats.mask_folder import FolderSource
from consolidation.formats.place import Place
from consolidation.formats.requests import RequestSource
from consolidation.formats.source import Source, SourceOptions
from consolidation.masks import Classes

SOURCES: tuple[type[Source], ...] = (FinishedJob, RequestSource, FolderSource)
"""In the order in which they are tried."""


def open_source(path: str | Path, options: SourceOptions | None = None) -> Source:
    """Open whatever kind of source is at a path or URI; SourceError if none is."""
    place = Place.at(path)
    for kind in SOURCES:
        if kind.recognises(place):
            return kind(place, options or SourceOptions())
    raise SourceError(f"{path} is neither a consolidation request nor a folder of masks")


def job_classes(source: Source, labels: str | Path | None) -> Classes:
    """Classes of a label-categories file if given, else what the source tells."""
    if labels is None:
        return source.classes()
    if not storage.exists(labels):
        raise SourceError(f"{labels} does not exist")
    return parse_classes(storage.read_bytes(labels), str(labels))

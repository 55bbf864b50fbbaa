"""Where labeled objects come from. A new kind of source is one file here and one line below."""

from __future__ import annotations

from pathlib import Path

from consolidation.errors import SourceError
from consolidation.formats.class_list import read_class_list
from consolidation.formats.finished_job import FinishedJob
from consolidation.formats.mask_folder import FolderSource
from consolidation.formats.place import Place
from consolidation.formats.requests import RequestSource
from consolidation.formats.source import Source, SourceOptions
from consolidation.masks import BACKGROUND, Classes, is_background
from consolidation.text import shown

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
    classes = (
        source.classes() if labels is None else source.classes_of(read_class_list(str(labels)))
    )
    if classes.meaning is None:
        # workers paint labels: what nobody painted is another thing than what is called so
        source.notes = [
            *source.notes,
            *(
                f"label {shown(name)} is a class of its own beside {BACKGROUND}, which is what "
                "nobody painted"
                for name in classes.names[1:]
                if is_background(name)
            ),
        ]
    return classes

"""What tools write: each format is one file or folder here, and one line of the registry.

A format reads (a `Source` of labeled objects), writes (an exporter), or both.
"""

from consolidation.formats.place import Place
from consolidation.formats.registry import FORMATS, SOURCES, job_classes, open_source
from consolidation.formats.source import Source, SourceObject, SourceOptions

__all__ = [
    "FORMATS",
    "SOURCES",
    "Place",
    "Source",
    "SourceObject",
    "SourceOptions",
    "job_classes",
    "open_source",
]

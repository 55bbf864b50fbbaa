"""Where labeled objects come from. A new kind of source is one file here and one line below."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path

from consolidation.errors import OptionError, SourceError
from consolidation.formats.class_list import read_class_list
from consolidation.formats.coco import Coco
from consolidation.formats.cvat import CvatImages, SegmentationMasks
from consolidation.formats.darwin import Darwin
from consolidation.formats.finished_job import FinishedJob
from consolidation.formats.label_files import LabelFiles
from consolidation.formats.label_studio import BrushFiles, LabelStudio
from consolidation.formats.labelme import LabelMeJson, LabelMeXml
from consolidation.formats.mask_folder import FolderSource
from consolidation.formats.patterns import compile_pattern, preset
from consolidation.formats.place import Place
from consolidation.formats.requests import RequestSource
from consolidation.formats.sniff import first_files
from consolidation.formats.source import Source, SourceOptions
from consolidation.formats.supervisely import Supervisely
from consolidation.formats.volumes import Volumes
from consolidation.formats.volumes.source import NIFTI, STACKS
from consolidation.masks import BACKGROUND, Classes, is_background
from consolidation.text import shown

SOURCES: tuple[type[Source], ...] = (
    FinishedJob,
    LabelStudio,
    BrushFiles,
    CvatImages,
    SegmentationMasks,
    Coco,
    Darwin,
    Supervisely,
    LabelMeJson,
    LabelMeXml,
    Volumes,
    LabelFiles,
    RequestSource,
    FolderSource,
)
"""In the order in which they are told."""
FORMATS: Mapping[str, type[Source]] = {source.name: source for source in SOURCES}


def open_source(path: str | Path, options: SourceOptions | None = None) -> Source:
    """Open whatever kind of source is at a path or URI; SourceError if none is, or several are."""
    options = options or SourceOptions()
    if options.format and options.format not in FORMATS:
        raise OptionError(f"--format must be one of {', '.join(FORMATS)}, not {options.format!r}")
    place = Place.at(path)
    asked = options.format or _of_pattern(options)
    if asked:
        return FORMATS[asked](place, options)
    kind = tool_at(place)
    if kind not in (None, FinishedJob) and _has_masks(place, options):
        assert kind is not None
        raise SourceError(
            f"{path} holds masks such as {options.masks} and {kind.kind}: give --format masks or "
            f"--format {kind.name}"
        )
    kind = kind or next((source for source in _OTHERS if source.recognises(place)), None)
    if kind is not None:
        try:
            return kind(place, options)
        except SourceError as error:
            cause = _unfit_json(place) if kind in _OTHERS else ""
            if not cause:
                raise
            raise SourceError(f"{error}; {cause}") from None
    formats = ", ".join(kind.kind for kind in SOURCES)
    raise SourceError(f"{path} is none of: {formats}")


_PICTURES = (".png",)
_OTHERS = (RequestSource, FolderSource)
"""A JSON file is a request, and a folder one of masks, if it is nothing else."""


def tool_at(place: Place) -> type[Source] | None:
    """Format whose files are surely at a place; SourceError if there are several."""
    kinds = [kind for kind in SOURCES if kind not in _OTHERS and kind.recognises(place)]
    if len(kinds) > 1:
        listed = " or ".join(f"--format {kind.name}" for kind in kinds)
        raise SourceError(f"{place.uri} may be read in several ways: give {listed}")
    return kinds[0] if kinds else None


def _unfit_json(place: Place) -> str:
    """Why JSON there is no export that could be read, where that is known; else empty."""
    for start in first_files(place, ".json"):
        if start.data.removeprefix(codecs.BOM_UTF8).split() == [b"[]"]:
            return f"{start.file} is an empty list: an export without a task"
        if start.json.has("[].image_id", "[].category_id"):
            return (
                f"{start.file} is a list of COCO results, which tells neither images nor their "
                "sizes: make it the `annotations` of a file with `images` and `categories`"
            )
    return ""


def _of_pattern(options: SourceOptions) -> str:
    """Format that a preset or pattern asks for; empty if it asks for none."""
    patterns = preset(options.preset) if options.preset else (options.masks,)
    if any("{label}" in pattern for pattern in patterns):
        return LabelFiles.name
    if any(pattern.lower().endswith((*NIFTI, *STACKS)) for pattern in patterns):
        return Volumes.name
    pictures = options.masks != SourceOptions.masks and options.masks.lower().endswith(_PICTURES)
    return FolderSource.name if options.preset or pictures else ""


def _has_masks(place: Place, options: SourceOptions) -> bool:
    """Whether a folder's files are called as those of a folder of masks."""
    pattern = compile_pattern(options.masks)
    # tools take patterns of their own files, too
    return options.masks.lower().endswith(_PICTURES) and any(
        pattern.fullmatch(entry.name) for entry in place.entries or ()
    )


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

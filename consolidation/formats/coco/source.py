"""COCO: one file an annotator, or one file whose annotations name their annotators."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from consolidation.errors import OptionError, SourceError
from consolidation.formats.annotators import Annotator, distinct
from consolidation.formats.coco.annotations import (
    ANNOTATOR_FIELDS,
    ASSIGNED_FIELDS,
    CocoPart,
    annotator_fields,
    annotators,
    category_of,
    label_of,
    parsed,
)
from consolidation.formats.coco.panoptic import PanopticMask, PanopticPart
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File
from consolidation.formats.image_files import whole
from consolidation.formats.json_stream import json_values
from consolidation.formats.place import Place
from consolidation.formats.sniff import JsonBeginning, beginning, files, first_files
from consolidation.formats.source import SourceOptions

_FOLDERS = ("", "{stem}/", "panoptic/", "masks/", "annotations/", "{stem}_masks/")
"""Where panoptic pictures lie, seen from their JSON."""
_SHOWN = 8
"""Categories that are named for people."""
_ONLY_IMAGES = "it lists images and has no `annotations`, so nobody annotated them"


@dataclass
class _Listed:
    """An image of a file."""

    name: str
    size: tuple[int, int] | None
    assigned: tuple[str, ...]
    picture: str


@dataclass
class _Annotations:
    """What one file says."""

    file: File
    images: dict[int | str | None, _Listed] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)
    places: dict[int | str | None, array[int]] = field(default_factory=dict)
    """Where an image's annotations lie."""
    panoptic: dict[int | str | None, tuple[str, list[tuple[int, int | None]]]] = field(
        default_factory=dict
    )
    """Picture, and number and category of its segments."""
    used: Counter[int | None] = field(default_factory=Counter)
    fields: set[str] = field(default_factory=set)
    """Fields of annotations that name an annotator."""
    anonymous: int = 0
    partial: bool = False
    """Whether it is LVIS, which does not ask everybody for every class."""
    annotated: bool = False
    """Whether it has a list of annotations, be it empty: an annotator who found nothing."""

    def take(self, key: str, value: Mapping[str, Any], begin: int, end: int, wanted: str) -> None:
        """Take note of an entry of one of the file's lists."""
        if key == "categories":
            number, name = value.get("id"), value.get("name")
            if type(number) is int and isinstance(name, str):
                self.categories[number] = name
        elif key == "images":
            self._take_image(value)
        elif key == "annotations":
            image = _id(value.get("image_id"))
            self.used[category_of(value)] += 1
            segments = value.get("segments_info")
            if isinstance(segments, list) and image is not None:
                pairs = [
                    (segment["id"], category_of(segment))
                    for segment in segments
                    if isinstance(segment, dict) and type(segment.get("id")) is int
                ]
                self.panoptic[image] = (str(value.get("file_name", "")), pairs)
                return
            for annotator_field in [wanted] if wanted else annotator_fields(value):
                if annotator_field not in self.fields and annotators(value, annotator_field):
                    self.fields.add(annotator_field)
            self.places.setdefault(image, array("Q")).extend((begin, end))

    def _take_image(self, value: Mapping[str, Any]) -> None:
        height, width = value.get("height"), value.get("width")
        name = value.get("file_name")
        assigned: list[str] = []
        for assigned_field in ASSIGNED_FIELDS:
            assigned = assigned or annotators(value, assigned_field)
        url = value.get("coco_url") or value.get("flickr_url")
        self.partial |= "neg_category_ids" in value
        if not isinstance(name, str) and isinstance(url, str):
            name = url.rpartition("/")[2]
        number = _id(value.get("id"))
        if number is None:
            return
        self.images[number] = _Listed(
            name if isinstance(name, str) else "",
            (whole(height), whole(width)) if whole(height) and whole(width) else None,
            tuple(assigned),
            name if isinstance(name, str) else "",
        )


class Coco(DrawnSource):
    """JSON of COCO."""

    name = "coco"
    kind = "COCO annotations"

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether a JSON file there has images and annotations of them."""
        return any(start.tells(_is_coco) for start in first_files(place, ".json"))

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content(ordered=True)
        listed = []
        for export in [self._read(file, options.annotator_field) for file in self._files(place)]:
            if export.annotated:
                listed.append(export)
            else:
                content.notes.append(f"{export.file} is left out: {_ONLY_IMAGES}")
        if not listed:
            raise SourceError(f"{place.uri}: no annotation in it: {_ONLY_IMAGES}")
        by = self._field({field_name for each in listed for field_name in each.fields}, options)
        if by:
            content.notes.append(f"annotators are told by the field {by!r}")
        keys = [
            {image.name or str(number) for number, image in export.images.items()}
            for export in listed
        ]
        workers = distinct([Annotator("", export.file) for export in listed], keys, place)
        for export, worker in zip(listed, workers, strict=True):
            for label in export.categories.values():
                content.labels.setdefault(label, "")
            for category, n in export.used.items():
                content.regions[label_of(category, export.categories) or "no label"] += n
            strange = sorted({n for n in export.used if n is not None} - export.categories.keys())
            if strange:
                listed_ids = ", ".join(map(str, strange[:_SHOWN]))
                content.notes.append(
                    f"{export.file}: its `categories` do not list category_id {listed_ids}"
                    + (", ..." if len(strange) > _SHOWN else "")
                )
            if export.partial:
                content.notes.append(
                    f"{export.file} is LVIS: what it does not list is unknown (--unpainted ignore)"
                )
            self._add(content, export, worker, by, place)
        return content

    def _add(
        self, content: Content, export: _Annotations, worker: str, by: str, place: Place
    ) -> None:
        """Add the images of a file."""
        strangers = export.places.keys() - export.images.keys()
        if strangers:
            content.left_out["annotations of images that are not listed"] += sum(
                len(export.places[number]) // 2 for number in strangers
            )
        for number, listed in export.images.items():
            key = listed.name or str(number)
            places = export.places.get(number, array("Q"))
            if number in export.panoptic:
                name, pairs = export.panoptic[number]
                file = self._picture_file(export.file, name, place)
                segments = tuple(
                    (id_, label_of(category, export.categories)) for id_, category in pairs
                )
                image = content.image(key, listed.name, listed.picture)
                image.votes = True
                image.parts.append(PanopticPart(worker, PanopticMask(file, segments)))
                continue
            if export.panoptic:
                continue
            # whose field is not there was not asked, unless the image says so
            assigned = listed.assigned if by else (worker,)
            if not places and not assigned:
                content.left_out["images without an annotation"] += 1
                continue
            image = content.image(key, listed.name, listed.picture)
            image.votes = True
            image.parts.append(
                CocoPart(export.file, places, listed.size, export.categories, worker, by, assigned)
            )

    def _picture_file(self, json_file: File, name: str, place: Place) -> File:
        """Panoptic picture: below the JSON's folder, or in one of the usual ones beside it."""
        base = name.replace("\\", "/")
        uri = json_file.uri.replace("\\", "/")
        folder, stem = uri.rpartition("/")[0], uri.rpartition("/")[2].rpartition(".")[0]
        candidates = [f"{folder}/{pattern.format(stem=stem)}{base}" for pattern in _FOLDERS]
        if place.entries is not None:
            known = {place.below(entry.name).replace("\\", "/") for entry in place.entries}
            candidates = [path for path in candidates if path in known] or candidates
        else:
            from consolidation import storage

            candidates = [path for path in candidates if storage.exists(path)] or candidates
        return File(candidates[0])

    @staticmethod
    def _field(fields: set[str], options: SourceOptions) -> str:
        """Field that names annotators."""
        if options.annotator_field and options.annotator_field not in fields:
            raise OptionError(f"--annotator-field: no annotation has {options.annotator_field!r}")
        return next(
            (name for name in (options.annotator_field, *ANNOTATOR_FIELDS) if name in fields),
            "",
        )

    def _files(self, place: Place) -> list[File]:
        exports = []
        for name, file in files(place, ".json"):
            if beginning(place, file).tells(_is_coco):
                exports.append(file)
                self._used.append(name)
        if not exports:
            raise SourceError(f"{place.uri}: no JSON of COCO in it")
        return exports

    @staticmethod
    def _read(file: File, wanted: str) -> _Annotations:
        export, keys = _Annotations(file), set[str]()
        for value in json_values(file.read, str(file), 2, keys):
            if value.key in ("images", "annotations", "categories"):
                content = parsed(value.data, file, value.span.start)
                export.take(value.key, content, *value.span, wanted)
        export.annotated = "annotations" in keys
        if not export.images:
            raise SourceError(f"{file} is no COCO: it lists no images")
        return export


def _id(value: Any) -> int | str | None:
    return value if isinstance(value, int | str) else None


def _is_coco(start: JsonBeginning) -> bool:
    paths = start.paths
    return start.top == "{" and (
        "annotations[].image_id" in paths
        or "annotations[].segments_info" in paths
        or ("images" in paths and ("images[].file_name" in paths or "categories[].id" in paths))
    )

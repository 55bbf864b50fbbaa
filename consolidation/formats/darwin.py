"""Darwin JSON of V7, versions 1.0 and 2.0: one file an image."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from consolidation.errors import AnswerError, SourceError
from consolidation.formats.coded_shapes import DenseRuns
from consolidation.formats.files import File
from consolidation.formats.image_files import (
    ImageFile,
    ImageFiles,
    entries,
    mapping,
    read_json,
    stem,
    whole,
)
from consolidation.formats.json_text import finite_number
from consolidation.formats.paint import Region
from consolidation.formats.shapes import Ellipse, Polygon, Shape, rectangle
from consolidation.formats.sniff import FileBeginning
from consolidation.limits import Limits


class Darwin(ImageFiles):
    """Annotations of V7."""

    name = "darwin"
    kind = "Darwin JSON"
    ending = ".json"

    @classmethod
    def is_own(cls, start: FileBeginning) -> bool:
        """See `ImageFiles`."""
        beginning = start.json
        return beginning.top == "{" and (
            beginning.has("item.slots") or beginning.has("image.original_filename", "annotations")
        )

    @staticmethod
    def parse(file: File, limits: Limits, emails: bool) -> ImageFile:
        """See `ImageFiles`."""
        content = mapping(read_json(file, limits))
        image, item = mapping(content.get("image")), mapping(content.get("item"))
        slot = next(iter(entries(item.get("slots"))), {})
        sides = image if image else slot
        height, width = whole(sides.get("height")), whole(sides.get("width"))
        name = image.get("original_filename") or image.get("filename") or item.get("name")
        folder = item.get("path")
        if isinstance(folder, str) and folder.strip("/"):
            name = f"{folder.strip('/')}/{name}"
        result = ImageFile(
            str(name or stem(file)), (height, width) if height > 0 and width > 0 else None
        )
        annotations = entries(content.get("annotations"))
        layers = [
            mapping(annotation.get("raster_layer"))
            for annotation in annotations
            if "raster_layer" in annotation
        ]
        skipped = 0
        for annotation in annotations:
            if "raster_layer" in annotation or "tag" in annotation:
                continue
            label = annotation.get("name")
            label = label if isinstance(label, str) else None
            worker = _annotator(annotation, emails)
            shapes = list(_shapes(annotation, layers, file))
            skipped += not shapes
            result.regions += [(worker, Region(label, shape)) for shape in shapes]
        if skipped:
            result.notes.append(f"{skipped} annotations without an area are left out")
        return result


def _shapes(
    annotation: Mapping[str, Any], layers: list[Mapping[str, Any]], file: File
) -> list[Shape]:
    polygon = annotation.get("polygon", annotation.get("complex_polygon"))
    try:
        if isinstance(polygon, Mapping):
            return [Polygon.of([_ring(ring) for ring in _rings(polygon)])]
        if "ellipse" in annotation:
            at = mapping(annotation["ellipse"])
            center, radius = mapping(at.get("center")), mapping(at.get("radius"))
            x, y = _number(center, "x"), _number(center, "y")
            degrees = math.degrees(finite_number(at.get("angle", 0)) or 0.0)
            return [Ellipse(x, y, _number(radius, "x"), _number(radius, "y"), degrees)]
        if "mask" in annotation:
            return [
                DenseRuns(layer.get("dense_rle"), value)
                for layer in layers
                for value in [
                    mapping(layer.get("mask_annotation_ids_mapping")).get(str(annotation.get("id")))
                ]
                if isinstance(value, int)
            ]
        if "bounding_box" in annotation:
            box = mapping(annotation["bounding_box"])
            x, y, w, h = (_number(box, key) for key in ("x", "y", "w", "h"))
            return [rectangle(x, y, w, h)]
    except AnswerError as error:
        raise SourceError(f"{file}: {error}") from None
    return []


def _rings(polygon: Mapping[str, Any]) -> list[Any]:
    """Rings: `paths`, or `path`, which in 1.0 is one ring or a list of them."""
    listed = polygon.get("paths", polygon.get("path"))
    if not isinstance(listed, list):
        return []
    return listed if listed and isinstance(listed[0], list) else [listed]


def _ring(ring: Any) -> list[tuple[float, float]]:
    return [(_number(point, "x"), _number(point, "y")) for point in entries(ring)]


def _number(at: Mapping[str, Any], key: str) -> float:
    number = finite_number(at.get(key))
    if number is None:
        raise AnswerError(f"a shape of it is damaged: {key} is no number")
    return number


def _annotator(annotation: Mapping[str, Any], emails: bool) -> str:
    """Who an annotation is by: the first whom it lists."""
    for person in entries(annotation.get("annotators")):
        email, name = person.get("email"), person.get("full_name")
        if emails and isinstance(email, str) and email:
            return email
        if isinstance(name, str) and name:
            return name
        if isinstance(email, str) and email:
            return f"person-{hashlib.sha256(email.lower().encode()).hexdigest()[:8]}"
    return ""

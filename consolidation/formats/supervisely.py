"""Supervisely: `<dataset>/ann/<image>.json`, and the project's classes in `meta.json`."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

from consolidation.errors import AnswerError, SourceError
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
from consolidation.formats.paint import Region
from consolidation.formats.pictures import Bitmap
from consolidation.formats.place import Place
from consolidation.formats.shapes import Polygon, Shape, as_points, rectangle
from consolidation.formats.sniff import FileBeginning, named
from consolidation.limits import Limits
from consolidation.masks import hex_color, parse_color

META = "meta.json"
_NO_AREA = ("point", "line", "graph", "cuboid", "cuboid_2d")
_MOST_PNG = 1 << 26
"""Bytes of an unpacked bitmap."""


class Supervisely(ImageFiles):
    """Annotations of Supervisely."""

    name = "supervisely"
    kind = "Supervisely project"
    ending = ".json"

    @classmethod
    def is_own(cls, start: FileBeginning) -> bool:
        """See `ImageFiles`."""
        beginning = start.json
        return (
            beginning.top == "{"
            and beginning.has("size.height", "objects")
            and (beginning.has("objects[].classTitle") or beginning.has("tags"))
        )

    def labels(self, place: Place) -> Mapping[str, str]:
        """Classes of the project's `meta.json`."""
        for name in named(place, META):
            if name.rpartition("/")[2] == META and place.entries is not None:
                content = mapping(read_json(File(place.below(name)), self._options.limits))
                self._used.append(name)
                return {
                    str(entry["title"]): _hex(entry.get("color"))
                    for entry in entries(content.get("classes"))
                    if isinstance(entry.get("title"), str) and entry.get("shape") not in _NO_AREA
                }
        return {}

    @staticmethod
    def parse(file: File, limits: Limits, emails: bool) -> ImageFile:
        """See `ImageFiles`."""
        content = mapping(read_json(file, limits))
        size = mapping(content.get("size"))
        height, width = whole(size.get("height")), whole(size.get("width"))
        result = ImageFile(stem(file), (height, width) if height > 0 and width > 0 else None)
        skipped = 0
        for entry in entries(content.get("objects")):
            label, worker = entry.get("classTitle"), entry.get("labelerLogin")
            try:
                shape = _shape(entry)
            except AnswerError as error:
                raise SourceError(f"{file}: {error}") from None
            if shape is None:
                skipped += 1
                continue
            region = Region(label if isinstance(label, str) else None, shape)
            result.regions.append((worker if isinstance(worker, str) else "", region))
        if skipped:
            result.notes.append(f"{skipped} objects without an area are left out")
        return result


def _shape(entry: Mapping[str, Any]) -> Shape | None:
    kind = entry.get("geometryType")
    if kind == "bitmap" or (kind is None and "bitmap" in entry):
        bitmap = mapping(entry.get("bitmap"))
        left, top = as_points(bitmap.get("origin")).astype(int).tolist()[0]
        return Bitmap(unpacked(bitmap.get("data")), top, left)
    points = mapping(entry.get("points"))
    if kind == "polygon":
        interior = points.get("interior")
        return Polygon.of(
            [points.get("exterior"), *(interior if isinstance(interior, list) else ())]
        )
    if kind == "rectangle":
        corners = as_points(points.get("exterior"))
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        # its sides are the numbers of the outermost pixels
        return rectangle(left, top, right - left + 1, bottom - top + 1)
    return None


def unpacked(data: Any) -> bytes:
    """PNG of a bitmap's text: base64 of it, packed by zlib or not; AnswerError if it is none."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise AnswerError("a bitmap of it is damaged: not base64") from None
    try:
        stream = zlib.decompressobj()
        png = stream.decompress(raw, _MOST_PNG)
    except zlib.error:
        return raw
    if stream.unconsumed_tail:
        raise AnswerError(f"a bitmap of it has more than {_MOST_PNG:,} bytes")
    return png


def _hex(color: Any) -> str:
    rgb = parse_color(color)
    return "" if rgb is None else hex_color(rgb)

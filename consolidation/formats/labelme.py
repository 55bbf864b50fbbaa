"""LabelMe: the web tool's XML, and the desktop tool's JSON; one file an image and annotator."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

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
from consolidation.formats.shapes import Ellipse, Polygon, Shape, as_points, rectangle
from consolidation.formats.sniff import FileBeginning, JsonBeginning
from consolidation.formats.xml import parse_element, walk
from consolidation.limits import Limits

IGNORE = "__ignore__"
"""Label of what LabelMe itself leaves out."""


class LabelMeXml(ImageFiles):
    """Annotations of LabelMe's web tool."""

    name = "labelme-xml"
    kind = "LabelMe XML"
    ending = ".xml"

    @classmethod
    def is_own(cls, start: FileBeginning) -> bool:
        """See `ImageFiles`."""
        text = start.data
        return start.xml_root == "annotation" and (b"<polygon" in text or b"<imagesize" in text)

    @staticmethod
    def parse(file: File, limits: Limits, emails: bool) -> ImageFile:
        """See `ImageFiles`."""
        data = file.read_all(limits.answer_bytes)
        encoding = walk([data], str(file), lambda *_: None, lambda *_: None)
        root = parse_element(data, encoding, str(file))
        height, width = (_whole(root.findtext(f"imagesize/{side}")) for side in ("nrows", "ncols"))
        name = (root.findtext("filename") or "").strip() or stem(file)
        result = ImageFile(name, (height, width) if height and width else None)
        deleted = 0
        for element in root.iterfind("object"):
            if (element.findtext("deleted") or "").strip() == "1":
                deleted += 1
                continue
            polygon = element.find("polygon")
            if polygon is None:
                continue
            label = (element.findtext("name") or "").strip() or None
            try:
                shape = Polygon.of([[_point(pt) for pt in polygon.iterfind("pt")]])
            except AnswerError as error:
                raise SourceError(f"{file}: {error}") from None
            worker = (polygon.findtext("username") or "").strip()
            result.regions.append((worker, Region(label, shape)))
        if deleted:
            result.notes.append(f"{deleted} deleted objects are left out")
        return result


class LabelMeJson(ImageFiles):
    """Annotations of the LabelMe that runs on a desktop."""

    name = "labelme"
    kind = "LabelMe JSON"
    ending = ".json"

    @classmethod
    def is_own(cls, start: FileBeginning) -> bool:
        """See `ImageFiles`."""
        return start.tells(_is_labelme)

    @staticmethod
    def parse(file: File, limits: Limits, emails: bool) -> ImageFile:
        """See `ImageFiles`."""
        content = mapping(read_json(file, limits))
        height, width = whole(content.get("imageHeight")), whole(content.get("imageWidth"))
        path = content.get("imagePath")
        name = path.replace("\\", "/").rpartition("/")[2] if isinstance(path, str) else ""
        result = ImageFile(
            name or stem(file), (height, width) if height > 0 and width > 0 else None
        )
        skipped = 0
        for entry in entries(content.get("shapes")):
            label = entry.get("label")
            try:
                shape = _shape(entry)
            except AnswerError as error:
                raise SourceError(f"{file}: {error}") from None
            if shape is None:
                skipped += 1
                continue
            known = isinstance(label, str) and label != IGNORE
            result.regions.append(("", Region(label if known else None, shape)))
        if skipped:
            result.notes.append(f"{skipped} shapes without an area are left out")
        return result


def _is_labelme(beginning: JsonBeginning) -> bool:
    keys = ("imageHeight", "imageWidth", "imagePath", "imageData")
    if beginning.top != "{" or beginning.paths.isdisjoint(keys):
        return False
    # where the picture itself comes first, nothing else is seen
    return beginning.has("shapes") or beginning.has("imageData")


def _shape(entry: Mapping[str, Any]) -> Shape | None:
    kind, points = entry.get("shape_type") or "polygon", as_points(entry.get("points"))
    if kind == "polygon":
        return Polygon.of([points])
    if len(points) < 2:
        return None
    (x, y), (right, bottom) = points[:2].tolist()
    if kind == "rectangle":
        return rectangle(min(x, right), min(y, bottom), abs(right - x), abs(bottom - y))
    if kind == "circle":
        radius = math.hypot(right - x, bottom - y)
        return Ellipse(x, y, radius, radius)
    if kind == "mask":
        try:
            png = base64.b64decode(entry.get("mask") or "", validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise AnswerError("a mask of it is damaged: not base64") from None
        return Bitmap(png, int(y), int(x))
    return None


def _point(element: Element) -> tuple[float, float]:
    try:
        return float(element.findtext("x") or ""), float(element.findtext("y") or "")
    except ValueError:
        raise AnswerError("a polygon of it is damaged: a point is no number") from None


def _whole(text: str | None) -> int:
    return int(text) if text and text.strip().isdecimal() and len(text.strip()) < 10 else 0

"""Regions of Label Studio: result items to shapes and labels.

Shapes are in percent of the image's width and height. A region may be several items of one `id`:
one with the shape and no label, another with the labels and the same shape again.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consolidation.errors import AnswerError
from consolidation.formats import coded_shapes, rle, shapes
from consolidation.formats.json_stream import LongLists
from consolidation.formats.json_text import finite_number
from consolidation.formats.paint import Region
from consolidation.formats.pictures import Bitmap
from consolidation.formats.shapes import Plane, Shape
from consolidation.text import shown

LABEL_KEYS = (
    *("brushlabels", "polygonlabels", "rectanglelabels", "ellipselabels", "bitmasklabels"),
    *("magicwandlabels", "labels"),
)
_PNG = "data:image/png;base64,"
_NO_AREA = ("keypoint", "keypointlabels", "vector", "vectorlabels", "relation", "choices")

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Percent:
    """A polygon, rectangle or ellipse in percent of its image."""

    value: Mapping[str, Any]

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        return self._shape(width / 100, height / 100).plane(height, width)

    def _shape(self, x_scale: float, y_scale: float) -> Shape:
        value = self.value
        if "points" in value:
            points = shapes.as_points(value["points"]) * (x_scale, y_scale)
            return shapes.Polygon.of([points])
        x, y = _number(value, "x") * x_scale, _number(value, "y") * y_scale
        degrees = _number(value, "rotation", 0.0)
        if "radiusX" in value:
            radii = _number(value, "radiusX") * x_scale, _number(value, "radiusY") * y_scale
            return shapes.Ellipse(x, y, *radii, degrees)
        # in pixels before it is turned: in percent it would be sheared
        sides = _number(value, "width") * x_scale, _number(value, "height") * y_scale
        return shapes.rectangle(x, y, *sides, degrees)


def items_of(results: Any) -> Iterator[Item]:
    """Result items that have a value."""
    for item in results if isinstance(results, list) else ():
        if isinstance(item, dict) and isinstance(item.get("value"), dict):
            yield item


def has_shape(item: Item) -> bool:
    """Whether an item covers pixels."""
    value = item["value"]
    return (
        item.get("type") not in _NO_AREA
        and not ("points" in value and value.get("closed") is False)
        and _keys_of_shape(value) is not None
    )


def lacks_area(item: Item) -> bool:
    """Whether an item is a shape that covers no pixels: a point or a line."""
    value = item["value"]
    is_shape = "points" in value or "vertices" in value or ("x" in value and "y" in value)
    return is_shape and not has_shape(item)


def labels_of(item: Item) -> list[str]:
    """Labels that an item says."""
    value = item["value"]
    for key in LABEL_KEYS:
        listed = value.get(key)
        if isinstance(listed, list) and listed:
            return [label for label in listed if isinstance(label, str)]
    return []


def size_of(items: Sequence[Item]) -> tuple[int, int] | None:
    """Height and width of the image that items tell; AnswerError if they tell several."""
    sizes = {
        (height, width)
        for item in items
        for height, width in [(item.get("original_height"), item.get("original_width"))]
        if type(height) is int and type(width) is int and height > 0 and width > 0
    }
    if len(sizes) > 1:
        listed = ", ".join(f"{width} x {height}" for height, width in sorted(sizes))
        raise AnswerError(f"its regions are on images of several sizes: {listed}")
    return sizes.pop() if sizes else None


def regions_of(items: Sequence[Item], lists: LongLists) -> tuple[list[Region], list[str]]:
    """Regions in the order they were drawn, and notes; AnswerError if one cannot be read."""
    groups: dict[Any, list[Item]] = {}
    for number, item in enumerate(items):
        turned = item.get("image_rotation")
        if isinstance(turned, int | float) and turned % 360:
            raise AnswerError(
                f"it was drawn on the image turned by {turned} degrees, and what its coordinates "
                "then mean is not known: turn the image itself"
            )
        name = item.get("id")
        groups.setdefault(name if isinstance(name, str) and name else number, []).append(item)
    regions, skipped, several = [], 0, 0
    for group in groups.values():
        drawn = next((result for result in group if has_shape(result)), None)
        if drawn is None:
            skipped += any(lacks_area(result) for result in group)
            continue
        labels = next((names for result in group if (names := labels_of(result))), [])
        several += len(labels) > 1
        shape = _shape(drawn["value"], lists)
        regions.append(Region(labels[0] if labels else None, shape))
    if skipped and not regions:
        # something is there: not the same as nothing
        raise AnswerError(f"none of its {skipped} shapes has an area (points and lines have none)")
    notes = []
    if skipped:
        notes.append(f"{skipped} shapes without an area are left out")
    if several:
        notes.append(f"{several} regions have several labels, of which the first counts")
    return _without_doubles(regions, items), notes


def _without_doubles(regions: list[Region], items: Sequence[Item]) -> list[Region]:
    """Regions but those without a label that have the shape of one with a label.

    JSON-MIN has lost the ids by which they belong together.
    """
    if all(item.get("id") for item in items) or all(region.label is None for region in regions):
        return regions
    labelled = {_geometry(item["value"]) for item in items if labels_of(item)}
    spare = [
        not labels_of(item) and _geometry(item["value"]) in labelled
        for item in items
        if has_shape(item)
    ]
    if len(spare) != len(regions):
        return regions
    return [region for region, double in zip(regions, spare, strict=True) if not double]


def _keys_of_shape(value: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Keys by which a value says its shape; None if it has none."""
    if "x" in value and "y" in value:
        if "radiusX" in value and "radiusY" in value:
            return "x", "y", "radiusX", "radiusY"
        return ("x", "y", "width", "height") if "width" in value and "height" in value else None
    return next(((key,) for key in ("rle", "imageDataURL", "points") if key in value), None)


def _geometry(value: Mapping[str, Any]) -> str | None:
    """Text that tells shapes apart; None if the value has none."""
    keys = _keys_of_shape(value)
    if keys == ("rle",) and isinstance(value["rle"], str):
        # a long list is known by its place, which is another for each
        return "rle"
    return None if keys is None else json.dumps([value[key] for key in keys])


def _shape(value: Mapping[str, Any], lists: LongLists) -> Shape:
    if "rle" in value:
        return coded_shapes.Brush(rle.brush_bytes(lists.numbers(value["rle"])))
    if "imageDataURL" in value:
        return _bitmap(value["imageDataURL"])
    return Percent(value)


def _bitmap(url: Any) -> Bitmap:
    if not isinstance(url, str) or not url.startswith(_PNG):
        raise AnswerError(f"its bitmask is no {_PNG}... but {shown(url)}")
    try:
        return Bitmap(base64.b64decode(url[len(_PNG) :], validate=True), whole=True)
    except (binascii.Error, ValueError):
        raise AnswerError("its bitmask is damaged: not base64") from None


def _number(value: Mapping[str, Any], key: str, default: float | None = None) -> float:
    number = finite_number(value.get(key, default))
    if number is None:
        raise AnswerError(f"a shape of it is damaged: {key} is {shown(value.get(key))}")
    return number

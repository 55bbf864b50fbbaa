"""An `<image>` element of "CVAT for images": what one annotator drew on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from consolidation.errors import AnswerError
from consolidation.formats import coded_shapes, shapes
from consolidation.formats.drawn import Drawn
from consolidation.formats.files import File
from consolidation.formats.groundtruth.spans import Span
from consolidation.formats.paint import Region
from consolidation.formats.shapes import Shape
from consolidation.formats.xml import parse_element
from consolidation.limits import Limits
from consolidation.text import shown

SHAPES = ("mask", "polygon", "box", "ellipse")
NO_AREA = ("tag", "points", "polyline", "skeleton", "cuboid")
CONSENSUS = "consensus"
"""Source of what CVAT itself merged."""
CLOSING = b"</image>"


@dataclass(frozen=True, slots=True)
class ImagePart:
    """Where an `<image>` lies, and whose it is."""

    file: File
    span: Span
    """Up to its end tag."""
    encoding: str
    worker: str

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        data = self.file.read(*self.span)
        # an element without an end tag is all there is: no other begins in it
        if not (data.rstrip().endswith(b"/>") and data.count(b"<") == 1):
            data += CLOSING
        element = parse_element(data, self.encoding, f"{self.file}, byte {self.span.start:,}")
        try:
            size = _int(element.attrib, "height"), _int(element.attrib, "width")
            drawn = [shape for shape in element if shape.tag in SHAPES and not _is_outside(shape)]
            drawn.sort(key=lambda shape: _int(shape.attrib, "z_order", 0))
            regions = [Region(shape.get("label"), _shape(shape)) for shape in drawn]
            if not regions:
                _check_blank(element)
        except AnswerError as error:
            return [Drawn(self.worker, None, error=str(error))]
        return [Drawn(self.worker, size, regions)]


def _check_blank(element: Element) -> None:
    """AnswerError if an image without regions has what covers no pixel: that is no blank answer."""
    kinds = Counter(child.tag for child in element if child.tag in NO_AREA)
    if kinds:
        listed = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
        raise AnswerError(f"nothing in it has an area: {listed}")


def _is_outside(element: Element) -> bool:
    return element.get("outside") == "1"


def _shape(element: Element) -> Shape:
    at = element.attrib
    if element.tag == "mask":
        box = (_int(at, key) for key in ("top", "left", "height", "width"))
        return coded_shapes.Runs(at.get("rle", ""), *box)
    if element.tag == "polygon":
        return shapes.Polygon.of([_points(at.get("points", ""))])
    degrees = _float(at, "rotation", 0.0)
    if element.tag == "box":
        left, top, right, bottom = (_float(at, key) for key in ("xtl", "ytl", "xbr", "ybr"))
        return shapes.rectangle(left, top, right - left, bottom - top, degrees, center=True)
    x, y, radius_x, radius_y = (_float(at, key) for key in ("cx", "cy", "rx", "ry"))
    return shapes.Ellipse(x, y, radius_x, radius_y, degrees)


def _points(text: str) -> Any:
    """Numbers x, y, x, y of a text ``x,y;x,y``."""
    try:
        return np.array(text.replace(";", ",").rstrip(",").split(","), np.float64)
    except ValueError:
        raise AnswerError(f"a polygon of it is damaged: {shown(text)}") from None


def _int(attributes: Mapping[str, str], key: str, default: int | None = None) -> int:
    return int(_float(attributes, key, default))


def _float(attributes: Mapping[str, str], key: str, default: float | None = None) -> float:
    text = attributes.get(key)
    if text is None and default is not None:
        return default
    try:
        number = float(text or "")
    except ValueError:
        number = float("nan")
    if not abs(number) <= shapes.MOST:
        raise AnswerError(f"it is damaged: {key} is {shown(text)}")
    return number

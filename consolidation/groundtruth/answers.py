"""One worker's answer from the labeling widget `crowd-semantic-segmentation`."""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consolidation.errors import AnswerError
from consolidation.masks.colors import hex_color, parse_color

_DATA_URI = "data:image/png;base64,"


@dataclass(frozen=True)
class WorkerAnswer:
    """A worker's picture and what its colours mean.

    Attributes
    ----------
    png : bytes
        The picture, a PNG file.
    colors : mapping of label name to RGB
        The answer's own label mapping, painted or not.
    size : (int, int) or None
        Height and width of the image as the worker's browser saw it.
    modified : bool or None
        Only in adjustment jobs: whether the worker changed the earlier mask.
    """

    png: bytes
    colors: Mapping[str, tuple[int, int, int]]
    size: tuple[int, int] | None = None
    modified: bool | None = None


def load_json(data: bytes | str) -> Any:
    """Parse JSON, by orjson where it is installed; ValueError if it is none."""
    if isinstance(data, bytes):
        data = data.removeprefix(codecs.BOM_UTF8)  # editors on Windows write one
    with contextlib.suppress(ImportError, ValueError):
        import orjson

        return orjson.loads(data)
    # the standard library has the last word: it takes NaN and lone surrogates, orjson does not
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def parse_answer(content: str | bytes | Mapping[str, Any]) -> WorkerAnswer:
    """Read the content of an annotation: JSON text, or the object parsed from it.

    The answer is found by its shape: the one field that holds a `labeledImage`, whatever the
    template's author called it. Other form fields beside it do not matter.

    Raises
    ------
    AnswerError
        If there is no such field or several, or its parts are not what they should be.

    Examples
    --------
    >>> content = '{"seg": {"labelMappings": {"cat": {"color": "#2ca02c"}}, \
"labeledImage": {"pngImageData": "iVBORw0="}, "inputImageProperties": {"height": 2, "width": 3}}}'
    >>> answer = parse_answer(content)
    >>> dict(answer.colors), answer.size
    ({'cat': (44, 160, 44)}, (2, 3))
    """
    element = _element(content)
    image = element["labeledImage"]
    text = image.get("pngImageData") if isinstance(image, Mapping) else None
    if not isinstance(text, str):
        raise AnswerError("the answer's labeledImage has no pngImageData")
    return WorkerAnswer(
        png=_decode_base64(text.removeprefix(_DATA_URI)),
        colors=_colors(element.get("labelMappings")),
        size=_size(element.get("inputImageProperties")),
        modified=element["initialValueModified"]
        if isinstance(element.get("initialValueModified"), bool)
        else None,
    )


def label_names(content: str | bytes | Mapping[str, Any]) -> list[str]:
    """Names in an answer's label mapping, its picture left alone; AnswerError as `parse_answer`."""
    return list(_colors(_element(content).get("labelMappings")))


def _element(content: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(content, str | bytes):
        try:
            content = load_json(content)
        except ValueError as error:
            raise AnswerError(f"the answer is not JSON: {error}") from None
    if not isinstance(content, Mapping):
        raise AnswerError(f"the answer is a JSON {type(content).__name__}, not an object")
    if "labeledImage" in content:
        return content
    found = [
        name
        for name, value in content.items()
        if isinstance(value, Mapping) and "labeledImage" in value
    ]
    if len(found) == 1:
        element = content[found[0]]
        assert isinstance(element, Mapping)
        return element
    if found:
        raise AnswerError(f"the answer has several labeled images: {', '.join(map(repr, found))}")
    if any(isinstance(value, Mapping) and "label" in value for value in content.values()):
        raise AnswerError(
            "the answer is a verdict on a mask, not a mask: is this a verification job?"
        )
    fields = ", ".join(repr(name) for name in list(content)[:5]) or "no fields"
    raise AnswerError(f"the answer has no labeledImage, only {fields}")


def _decode_base64(text: str) -> bytes:
    try:
        import pybase64
    except ImportError:
        pass
    else:
        try:
            return bytes(pybase64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            raise AnswerError("the answer's pngImageData is not base64") from None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AnswerError("the answer's pngImageData is not base64") from None


def _colors(mappings: Any) -> dict[str, tuple[int, int, int]]:
    if not isinstance(mappings, Mapping):
        raise AnswerError("the answer has no labelMappings")
    colors: dict[str, tuple[int, int, int]] = {}
    owners: dict[tuple[int, int, int], str] = {}
    for label, value in mappings.items():
        text = value.get("color") if isinstance(value, Mapping) else None
        color = parse_color(text)
        if color is None:
            raise AnswerError(f"label {label!r} has no color such as #2ca02c but {text!r}")
        if color in owners:
            raise AnswerError(
                f"labels {owners[color]!r} and {label!r} have the same color {hex_color(color)}"
            )
        owners[color] = label
        colors[label] = color
    return colors


def _size(properties: Any) -> tuple[int, int] | None:
    if not isinstance(properties, Mapping):
        return None
    height, width = properties.get("height"), properties.get("width")
    if isinstance(height, int) and isinstance(width, int):
        return height, width
    return None

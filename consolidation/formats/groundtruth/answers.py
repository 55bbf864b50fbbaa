"""One worker's answer from the labeling widget `crowd-semantic-segmentation`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from consolidation.errors import AnswerError
from consolidation.formats.json_text import check_depth, load_json
from consolidation.limits import DEFAULT_LIMITS, Limits
from consolidation.masks.classes import MAX_CLASSES
from consolidation.masks.colors import parse_color
from consolidation.objects import WorkerAnswer
from consolidation.text import shown

_DATA_URI = "data:image/png;base64,"
MAX_VALUES = 100_000
"""JSON values of an answer: each takes many times the memory of its text. Real ones have ten."""


def parse_answer(
    content: str | bytes | Mapping[str, Any], limits: Limits = DEFAULT_LIMITS
) -> WorkerAnswer:
    """Read the content of an annotation: JSON text, or the object parsed from it.

    The answer is found by its shape: the one field that holds a `labeledImage`, whatever the
    template's author called it. Other form fields beside it do not matter.

    Raises
    ------
    AnswerError
        If there is no such field or several, if its parts are not what they should be, or if it
        is larger than the limits.

    Examples
    --------
    >>> content = '{"seg": {"labelMappings": {"cat": {"color": "#2ca02c"}}, \
"labeledImage": {"pngImageData": "iVBORw0="}, "inputImageProperties": {"height": 2, "width": 3}}}'
    >>> answer = parse_answer(content)
    >>> dict(answer.colors), answer.size
    ({'cat': (44, 160, 44)}, (2, 3))
    """
    element = _element(content, limits)
    image = element["labeledImage"]
    text = image.get("pngImageData") if isinstance(image, Mapping) else None
    if not isinstance(text, str):
        raise AnswerError("the answer's labeledImage has no pngImageData")
    check_bytes(len(text), limits)
    return WorkerAnswer(
        png=_decode_base64(text.removeprefix(_DATA_URI)),
        colors=_colors(element.get("labelMappings"), limits),
        size=_size(element.get("inputImageProperties")),
        modified=element["initialValueModified"]
        if isinstance(element.get("initialValueModified"), bool)
        else None,
    )


def label_names(
    content: str | bytes | Mapping[str, Any], limits: Limits = DEFAULT_LIMITS
) -> list[str]:
    """Names in an answer's label mapping, its picture left alone; AnswerError as `parse_answer`."""
    return list(_colors(_element(content, limits).get("labelMappings"), limits))


def check_bytes(size: int, limits: Limits) -> None:
    """Raise AnswerError if an answer of this size is too large."""
    if size > limits.answer_bytes:
        raise AnswerError(f"the answer has {size:,} bytes, the limit is {limits.answer_bytes:,}")


def _element(content: str | bytes | Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    parsed = _parsed(content, limits)
    if not isinstance(parsed, Mapping):
        raise AnswerError(f"the answer is a JSON {type(parsed).__name__}, not an object")
    if "labeledImage" in parsed:
        return parsed
    elements = [
        name
        for name, value in parsed.items()
        if isinstance(value, Mapping) and "labeledImage" in value
    ]
    if len(elements) == 1:
        element = parsed[elements[0]]
        assert isinstance(element, Mapping)
        return element
    fields = ", ".join(map(shown, (elements or list(parsed))[:5])) or "no fields"
    if elements:
        raise AnswerError(f"the answer has several labeled images: {fields}")
    verdicts = [parsed, *(value for value in parsed.values() if isinstance(value, Mapping))]
    if "crowd-image-classifier" in parsed or any("label" in verdict for verdict in verdicts):
        raise AnswerError(
            "the answer is a verdict on a mask, not a mask: is this a verification job?"
        )
    raise AnswerError(f"the answer has no labeledImage, only {fields}")


def _parsed(content: str | bytes | Mapping[str, Any], limits: Limits) -> Any:
    """Return the JSON value, within the limits."""
    try:
        if isinstance(content, Mapping):
            check_depth(content, limits.json_depth)
            return content
        check_bytes(len(content), limits)
        if len(content) > MAX_VALUES and (n_values := _most_values(content)) > MAX_VALUES:
            raise AnswerError(f"the answer has {n_values:,} values, the limit is {MAX_VALUES:,}")
        return load_json(content, limits.json_depth)
    except ValueError as error:
        raise AnswerError(f"the answer is not JSON: {error}") from None


def _most_values(text: str | bytes) -> int:
    """Values that a JSON text can hold: each begins with a bracket or follows a comma."""
    if isinstance(text, str):
        return sum(map(text.count, "{[,"))
    return sum(map(text.count, b"{[,"))


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


def _colors(mappings: Any, limits: Limits) -> Mapping[str, tuple[int, int, int]]:
    if not isinstance(mappings, Mapping):
        raise AnswerError("the answer has no labelMappings")
    if len(mappings) > MAX_CLASSES:
        raise AnswerError(f"the answer has {len(mappings):,} labels, the limit is {MAX_CLASSES}")
    texts = tuple(
        (label, value.get("color") if isinstance(value, Mapping) else None)
        for label, value in mappings.items()
    )
    try:
        return _checked_colors(texts, limits)
    except TypeError:
        # a list for a color, say
        return _checked_colors.__wrapped__(texts, limits)


@lru_cache(maxsize=256)
def _checked_colors(
    texts: tuple[tuple[str, Any], ...], limits: Limits
) -> Mapping[str, tuple[int, int, int]]:
    """RGB by label; the workers of a job mostly share a mapping."""
    colors: dict[str, tuple[int, int, int]] = {}
    for label, text in texts:
        if len(label) > limits.label_length:
            raise AnswerError(
                f"label {shown(label)} has {len(label):,} characters, "
                f"the limit is {limits.label_length}"
            )
        color = parse_color(text)
        if color is None:
            raise AnswerError(
                f"label {shown(label)} has no color such as #2ca02c but {shown(text)}"
            )
        colors[label] = color
    return colors


def _size(properties: Any) -> tuple[int, int] | None:
    if not isinstance(properties, Mapping):
        return None
    height, width = properties.get("height"), properties.get("width")
    if isinstance(height, int) and isinstance(width, int):
        return height, width
    return None

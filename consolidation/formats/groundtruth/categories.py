"""The label categories of a job, as a file says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consolidation.errors import OptionError, SourceError
from consolidation.formats.groundtruth.json_text import load_json
from consolidation.masks.classes import Classes
from consolidation.masks.colors import hex_color, parse_color
from consolidation.text import shown


def parse_classes(data: bytes | str, name: str) -> Classes:
    """Classes of a label-categories file; `name` is used in messages.

    Three forms are understood: Ground Truth's ``{"labels": [{"label": "cat"}, ...]}``; a plain
    list ``["cat", "dog"]``; and ``{"classes": [{"index": 0, "name": "background", "color":
    "#ffffff"}, ...]}`` with colours optional, as it lies beside a folder of masks.

    Raises
    ------
    SourceError
        If the file is none of these, or its names or indices clash.

    Examples
    --------
    >>> parse_classes('{"labels": [{"label": "cat"}, {"label": "dog"}]}', "labels.json").names
    ('BACKGROUND', 'cat', 'dog')
    """
    try:
        content = load_json(data)
    except ValueError as error:
        raise SourceError(f"{name} is not JSON: {error}") from None
    try:
        if isinstance(content, Mapping) and isinstance(content.get("classes"), list):
            return _indexed(content["classes"])
        labels = content.get("labels") if isinstance(content, Mapping) else content
    except OptionError as error:
        raise SourceError(f"{name}: {error}") from None
    if isinstance(labels, list):
        return listed_classes(labels, name)
    raise SourceError(f"{name} is no label-categories file: it has neither labels nor classes")


def listed_classes(entries: Sequence[Any], name: str) -> Classes:
    """Classes of a list of label names, or of objects with a `label`; SourceError if they clash.

    Examples
    --------
    >>> listed_classes(["cat", {"label": "dog"}], "the event").names
    ('BACKGROUND', 'cat', 'dog')
    """
    labels: list[Any] = [
        entry.get("label") if isinstance(entry, Mapping) else entry for entry in entries
    ]
    try:
        return Classes.of_labels(labels)
    except OptionError as error:
        raise SourceError(f"{name}: {error}") from None


def _indexed(entries: list[Any]) -> Classes:
    names: dict[int, str] = {}
    colors: dict[int, str] = {}
    for entry in entries:
        index = entry.get("index") if isinstance(entry, Mapping) else None
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if type(index) is not int or not isinstance(name, str):
            raise OptionError(f"a class has an index and a name, not {shown(entry)}")
        if not 0 <= index <= 255 or index in names:
            raise OptionError(
                f"class {shown(name)} has index {shown(index)}, which is taken or not 0 to 255"
            )
        names[index] = name
        color = entry.get("color")
        if color is not None:
            rgb = parse_color(color)
            if rgb is None:
                raise OptionError(
                    f"class {shown(name)} has no color such as #2ca02c but {shown(color)}"
                )
            colors[index] = hex_color(rgb)
    labels = [names.get(index, f"class-{index}") for index in range(1, max(names, default=0) + 1)]
    return Classes(Classes.of_labels(labels).names, colors)

"""The label categories of a job, as a file or an event says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consolidation.formats.class_list import ClassEntry, ClassList, parse_class_list
from consolidation.masks.classes import Classes


def parse_classes(data: bytes | str, name: str) -> Classes:
    """Classes of a label-categories file, or of any class list; `name` is used in messages.

    A label that is called background stays a class beside `BACKGROUND`, which is what nobody
    painted.

    Raises
    ------
    SourceError
        If the file is no class list, or its names or indices clash.

    Examples
    --------
    >>> parse_classes('{"labels": [{"label": "cat"}, {"label": "dog"}]}', "labels.json").names
    ('BACKGROUND', 'cat', 'dog')
    """
    return parse_class_list(data, name).of_labels()


def listed_classes(entries: Sequence[Any], name: str) -> Classes:
    """Classes of a list of label names, or of objects with a `label`; SourceError if they clash.

    Examples
    --------
    >>> listed_classes(["cat", {"label": "dog"}], "the event").names
    ('BACKGROUND', 'cat', 'dog')
    """
    labels = (entry.get("label") if isinstance(entry, Mapping) else entry for entry in entries)
    return ClassList(name, tuple(ClassEntry(label) for label in labels)).of_labels()

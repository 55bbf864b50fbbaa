"""Consolidation-request files: one, or a folder of them at any depth."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from consolidation import storage
from consolidation.answers import AnnotationAnswer
from consolidation.errors import ConsolidationError, SourceError
from consolidation.groundtruth import (
    RequestObject,
    load_json,
    parse_classes,
    parse_request,
)
from consolidation.jobs.sources.base import Source, SourceOptions
from consolidation.masks import BACKGROUND, UNDECIDED, Classes
from consolidation.prepare import LabeledObject

LABELS_FILE = "label-categories.json"
_NOT_REQUESTS = (LABELS_FILE, "classes.json")


class RequestSource(Source):
    """Objects of one or several consolidation requests."""

    kind = "consolidation requests"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Whether it is a JSON file, or a folder with requests in it."""
        return path.suffix == ".json" if path.is_file() else bool(_request_files(path))

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._path = path
        objects: dict[str, RequestObject] = {}
        for file in [path] if path.is_file() else _request_files(path):
            for one in parse_request(storage.read_bytes(file), str(file)):
                name = one.id if one.named else _free_name(one.id, objects)
                # an object that comes again was sent to workers again: the later request counts
                objects.pop(name, None)
                objects[name] = replace(one, id=name)
        if all(_is_number(one.id) for one in objects.values() if one.named):
            # ids are line numbers of the input manifest, whatever order a request has them in
            objects = dict(sorted(objects.items(), key=lambda item: _place(item[1])))
        self._objects = objects

    @property
    def ids(self) -> Sequence[str]:
        """See `Source`."""
        return list(self._objects)

    def objects(self) -> Iterator[LabeledObject]:
        """See `Source`."""
        for one in self._objects.values():
            yield LabeledObject(
                id=one.id,
                line={"source-ref": one.source_ref} if one.source_ref else {},
                answers=[(each.worker, AnnotationAnswer(each)) for each in one.annotations],
                error=one.error,
            )

    def classes(self) -> Classes:
        """Return the label categories beside the requests, else all answers' labels by name."""
        folder = self._path.parent if self._path.is_file() else self._path
        beside = folder / LABELS_FILE
        if beside.is_file():
            return parse_classes(storage.read_bytes(beside), str(beside))
        labels: set[str] = set()
        for one in self._objects.values():
            for annotation in one.annotations:
                try:
                    labels.update(AnnotationAnswer(annotation).load().colors)
                except ConsolidationError:
                    # it will be reported when its object is consolidated
                    continue
        # no classes: one is our index 0 anyway, the pixels of others are ignored with a warning
        labels = {one for one in labels if one.strip() and one not in (BACKGROUND, UNDECIDED)}
        if not labels:
            raise SourceError(f"{self._path}: no answer in it names a label")
        return Classes.of_labels(sorted(labels))


def _free_name(name: str, taken: Container[str]) -> str:
    """Return a name that no object has: what is broken must not replace what is not."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(one for one in names if one not in taken)


def _is_number(object_id: str) -> bool:
    return object_id.isascii() and object_id.isdecimal()


def _place(one: RequestObject) -> tuple[bool, int, str, str]:
    """Key that sorts ids of digits, however many, by value, and puts objects without one last."""
    digits = one.id.lstrip("0")
    return not one.named, len(digits), digits, one.id


def _request_files(folder: Path) -> list[Path]:
    """Return the request files below a folder, by path."""
    found = [path for path in folder.rglob("*.json") if path.name not in _NOT_REQUESTS]
    found.sort(key=lambda path: _by_number(path.relative_to(folder).as_posix()))
    requests = [path for path in found if "consolidation-request" in path.relative_to(folder).parts]
    if requests:
        return requests
    looks = {path: _looks_like_request(path) for path in found}
    if True not in looks.values():
        return []
    # among requests, a file that is no JSON is a damaged request: reading it will say so
    return [path for path, answer in looks.items() if answer is not False]


def _by_number(text: str) -> list[tuple[int, int | str]]:
    """Sort key by which iteration-2 comes before iteration-10."""
    parts = re.split(r"([0-9]{1,18})", text)
    return [(0, int(part)) if index % 2 else (1, part) for index, part in enumerate(parts)]


def _looks_like_request(path: Path) -> bool | None:
    """Whether it has the shape of a request; None if it cannot be read as JSON."""
    try:
        entries = load_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return isinstance(entries, list) and any(
        isinstance(entry, Mapping) and "annotations" in entry for entry in entries
    )

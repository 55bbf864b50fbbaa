"""Consolidation-request files: one, or a folder of them at any depth."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consolidation import storage
from consolidation.errors import ConsolidationError, SourceError
from consolidation.formats.groundtruth import (
    AnnotationAnswer,
    RequestObject,
    Span,
    label_names,
    load_json,
    parse_classes,
    parse_object,
    read_request,
)
from consolidation.formats.groundtruth.spans import NotJsonError, list_entries
from consolidation.formats.manifest_file import ManifestFile, ManifestLine
from consolidation.formats.place import Place
from consolidation.formats.source import Source, SourceOptions
from consolidation.limits import Limits
from consolidation.masks import BACKGROUND, UNDECIDED, Classes
from consolidation.objects.prepare import LabeledObject
from consolidation.storage import StorageError

LABELS_FILE = "label-categories.json"
_NOT_REQUESTS = (LABELS_FILE, "classes.json")


@dataclass(frozen=True, slots=True)
class RequestedObject:
    """An entry of a request file."""

    id: str
    folder: str
    """Of the source: no answer is read from elsewhere but S3."""
    file: str
    span: Span
    index: int
    """Place in the file's list, for messages."""
    named: bool
    source_ref: str | None = None
    line: ManifestLine | None = None

    @property
    def line_number(self) -> int | None:
        """See `SourceObject`."""
        return None if self.line is None else self.line.number

    def load(self) -> LabeledObject:
        """See `SourceObject`."""
        try:
            entry = load_json(storage.read_range(self.file, *self.span))
        except ValueError as error:
            raise SourceError(f"{self.file}, entry {self.index} is not JSON: {error}") from None
        one = parse_object(entry, self.index)
        line: Mapping[str, Any] = {"source-ref": one.source_ref} if one.source_ref else {}
        return LabeledObject(
            id=self.id,
            line=line if self.line is None else self.line.content(),
            answers=[
                (each.worker, AnnotationAnswer(each, self.folder)) for each in one.annotations
            ],
            error=one.error,
        )


class RequestSource(Source):
    """Objects of one or several consolidation requests."""

    name = "requests"
    kind = "consolidation requests"

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether it is a JSON file, or a folder with requests in it."""
        return place.uri.endswith(".json") if place.entries is None else bool(request_files(place))

    def __init__(self, place: Place, options: SourceOptions) -> None:
        self._place = place
        self.folder = place.folder
        self._names = None if place.entries is None else request_files(place)
        self._labels: set[str] = set()
        self._labels_file = place.beside(LABELS_FILE)
        asked = options.labels is not None or self._labels_file is not None
        files = [place.uri] if self._names is None else list(map(place.below, self._names))
        labels = None if asked else self._labels
        objects = index_requests(files, place.folder, labels, options.limits)
        lines: dict[str, ManifestLine] = {}
        if options.manifest is not None:
            self.manifest = ManifestFile(options.manifest)
            lines = self.manifest.lines_of({one.id: one.source_ref for one in objects})
        self.items = [replace(one, line=lines.get(one.id)) for one in objects]

    def classes(self) -> Classes:
        """Label categories beside the requests, else all answers' labels by name."""
        if self._labels_file is not None:
            return parse_classes(storage.read_bytes(self._labels_file), self._labels_file)
        return classes_by_name(self._labels, self._place.uri)

    def stamp(self) -> str:
        """See `Source`."""
        return self._place.stamp(self._names)


def index_requests(
    files: Sequence[str], folder: str, labels: set[str] | None, limits: Limits
) -> list[RequestedObject]:
    """Objects of request files and where they lie; adds the labels of all answers to `labels`."""
    objects: dict[str, RequestedObject] = {}
    for file in files:
        for index, (span, one) in enumerate(read_request(_reader(file), file, limits.objects)):
            name = one.id if one.named else _free_name(one.id, objects)
            # an object that comes again was sent to workers again: the later request counts
            objects.pop(name, None)
            objects[name] = RequestedObject(
                name, folder, file, span, index, one.named, one.source_ref
            )
            if labels is not None:
                labels.update(_labels(one, folder, limits))
    if all(is_number(one.id) for one in objects.values() if one.named):
        # ids are line numbers of the input manifest, whatever order a request has them in
        return sorted(objects.values(), key=lambda one: (not one.named, *by_value(one.id)))
    return list(objects.values())


def classes_by_name(labels: Iterable[str], name: str) -> Classes:
    """Classes of labels found in answers, in alphabetical order."""
    # no classes: one is our index 0 anyway, the pixels of others are ignored with a warning
    labels = {one for one in labels if one.strip() and one not in (BACKGROUND, UNDECIDED)}
    if not labels:
        raise SourceError(f"{name}: no answer in it names a label")
    return Classes.of_labels(sorted(labels))


def _labels(one: RequestObject, folder: str, limits: Limits) -> set[str]:
    found: set[str] = set()
    for each in one.annotations:
        try:
            content = AnnotationAnswer(each, folder).content(limits)
            found.update(label_names(content, limits))
        except ConsolidationError:
            # it will be reported when its object is consolidated
            continue
    return found


def _reader(file: str) -> Any:
    return lambda start, end: storage.read_range(file, start, end)


def _free_name(name: str, taken: Container[str]) -> str:
    """Return a name that no object has: what is broken must not replace what is not."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(one for one in names if one not in taken)


def is_number(object_id: str) -> bool:
    """Whether an id is a line number."""
    return object_id.isascii() and object_id.isdecimal()


def by_value(object_id: str) -> tuple[int, str, str]:
    """Key that sorts ids of digits, however many, by value."""
    digits = object_id.lstrip("0")
    return len(digits), digits, object_id


def request_files(place: Place) -> list[str]:
    """Names of the request files below a folder, in the order of their parts and numbers."""
    found = [
        one.name
        for one in place.entries or ()
        if one.name.endswith(".json") and one.name.rpartition("/")[2] not in _NOT_REQUESTS
    ]
    found.sort(key=by_number)
    requests = [name for name in found if "consolidation-request" in name.split("/")]
    if requests:
        return requests
    looks = {name: _looks_like_request(place.below(name)) for name in found}
    if True not in looks.values():
        return []
    # among requests, a file that is no JSON is a damaged request: reading it will say so
    return [name for name, answer in looks.items() if answer is not False]


def by_number(text: str) -> list[tuple[int, int | str]]:
    """Sort key by which iteration-2 comes before iteration-10."""
    parts = re.split(r"([0-9]{1,18})", text)
    return [(0, int(part)) if index % 2 else (1, part) for index, part in enumerate(parts)]


def _looks_like_request(file: str) -> bool | None:
    """Whether an entry has the shape of a request's; None if it cannot be read as JSON."""
    try:
        return any(
            isinstance(entry, Mapping) and "annotations" in entry
            for _, entry in list_entries(_reader(file), file)
        )
    except (NotJsonError, StorageError):
        return None
    except SourceError:
        return False

"""Consolidation-request files: one, or a folder of them at any depth."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Mapping, Sequence
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
from consolidation.text import shown

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
    earlier: RequestedObject | None = None
    """Entry of the same id before this one: its answers count, too."""

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
        request = parse_object(entry, self.index)
        before = None if self.earlier is None else self.earlier.load()
        source_ref = request.source_ref or self.source_ref
        line: Mapping[str, Any] = {"source-ref": source_ref} if source_ref else {}
        return LabeledObject(
            id=self.id,
            line=line if self.line is None else self.line.content(),
            answers=[
                # in their order: of a worker who answered again, the latest counts
                *(() if before is None else before.answers),
                *(
                    (each.worker, AnnotationAnswer(each, self.folder))
                    for each in request.annotations
                ),
            ],
            error=request.error or (None if before is None else before.error),
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
        self._labels = AnswerLabels()
        self._labels_file = place.beside(LABELS_FILE)
        asked = options.labels is not None or self._labels_file is not None
        files = [place.uri] if self._names is None else list(map(place.below, self._names))
        labels = None if asked else self._labels
        objects = index_requests(files, place.folder, labels, options.limits)
        lines: dict[str, ManifestLine] = {}
        if options.manifest is not None:
            self.manifest = ManifestFile(options.manifest)
            lines = self.manifest.lines_of({item.id: item.source_ref for item in objects})
        self.items = [replace(item, line=lines.get(item.id)) for item in objects]

    def classes(self) -> Classes:
        """Label categories beside the requests, else all answers' labels by name."""
        if self._labels_file is not None:
            return parse_classes(storage.read_bytes(self._labels_file), self._labels_file)
        return self._labels.classes(self._place.uri)

    def stamp(self) -> str:
        """See `Source`."""
        return self._place.stamp(self._names)


def index_requests(
    files: Sequence[str], folder: str, labels: AnswerLabels | None, limits: Limits
) -> list[RequestedObject]:
    """Objects of request files and where they lie; adds the labels of all answers to `labels`."""
    objects: dict[str, RequestedObject] = {}
    for file in files:
        for index, (span, request) in enumerate(read_request(_reader(file), file, limits.objects)):
            name = request.id if request.named else _free_name(request.id, objects)
            # an object that comes again was sent to workers again: their answers join
            earlier = objects.pop(name, None)
            if earlier is not None:
                _check_same(earlier, request, file)
            objects[name] = RequestedObject(
                name,
                folder,
                file,
                span,
                index,
                request.named,
                request.source_ref or (None if earlier is None else earlier.source_ref),
                earlier=earlier,
            )
            if labels is not None:
                for each in request.annotations:
                    labels.add(name, AnnotationAnswer(each, folder), limits)
    if all(is_number(obj.id) for obj in objects.values() if obj.named):
        # ids are line numbers of the input manifest, whatever order a request has them in
        return sorted(objects.values(), key=lambda obj: (not obj.named, *by_value(obj.id)))
    return list(objects.values())


def _check_same(earlier: RequestedObject, request: RequestObject, file: str) -> None:
    """Raise SourceError if an id is that of two pictures."""
    if earlier.source_ref and request.source_ref and earlier.source_ref != request.source_ref:
        where = f"{earlier.file} and {file}" if earlier.file != file else f"two entries of {file}"
        raise SourceError(
            f"{where} give object {shown(request.id)} to two pictures, {shown(earlier.source_ref)} "
            f"and {shown(request.source_ref)}: these are two jobs, consolidate each by itself"
        )


class AnswerLabels:
    """Labels that the answers of a job name."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._trouble = ""

    def add(self, object_id: str, answer: AnnotationAnswer, limits: Limits) -> None:
        """Add an answer's labels; one that cannot be read will be reported with its object."""
        try:
            self._names.update(label_names(answer.content(limits), limits))
        except ConsolidationError as error:
            where = f"object {object_id}, worker {answer.annotation.worker}"
            self._trouble = self._trouble or f": {where}: {error}"

    def classes(self, name: str) -> Classes:
        """Classes by these names in alphabetical order; SourceError names the first cause."""
        # no classes: one is our index 0 anyway, the pixels of others are ignored with a warning
        reserved = (BACKGROUND, UNDECIDED)
        labels = {label for label in self._names if label.strip() and label not in reserved}
        if not labels:
            raise SourceError(f"{name}: no answer in it names a label{self._trouble}")
        return Classes.of_labels(sorted(labels))


def _reader(file: str) -> Any:
    return lambda start, end: storage.read_range(file, start, end)


def _free_name(name: str, taken: Container[str]) -> str:
    """Return a name that no object has: what is broken must not replace what is not."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in names if candidate not in taken)


def is_number(object_id: str) -> bool:
    """Whether an id is a line number."""
    return object_id.isascii() and object_id.isdecimal()


def by_value(object_id: str) -> tuple[int, str, str]:
    """Key that sorts ids of digits, however many, by value."""
    digits = object_id.lstrip("0")
    return len(digits), digits, object_id


def request_files(place: Place) -> list[str]:
    """Names of the request files below a folder, in the order of their parts and numbers."""
    names = [
        entry.name
        for entry in place.entries or ()
        if entry.name.endswith(".json") and entry.name.rpartition("/")[2] not in _NOT_REQUESTS
    ]
    names.sort(key=by_number)
    requests = [name for name in names if "consolidation-request" in name.split("/")]
    if requests:
        return requests
    looks = {name: _looks_like_request(place.below(name)) for name in names}
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

"""A finished Ground Truth job: its folder or ``s3://`` prefix, as the service leaves it."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consolidation import storage
from consolidation.errors import ConsolidationError, ObjectError, OptionError, SourceError
from consolidation.formats.groundtruth import (
    Annotation,
    AnnotationAnswer,
    WorkerResponse,
    mask_labels,
    parse_classes,
    parse_worker_responses,
)
from consolidation.formats.manifest_file import ManifestFile, ManifestLine
from consolidation.formats.place import Place
from consolidation.formats.requests import (
    LABELS_FILE,
    AnswerLabels,
    RequestedObject,
    by_number,
    by_value,
    index_requests,
    is_number,
    request_files,
)
from consolidation.formats.source import Source, SourceOptions
from consolidation.limits import DEFAULT_LIMITS
from consolidation.masks import UNDECIDED, Classes
from consolidation.objects import LabeledObject, MaskClass, MaskLabel

MANIFEST = "manifests/output/output.manifest"
CONSOLE_DATA = "annotation-tool/data.json"
_RESPONSE = re.compile(
    r"(?P<job>.*?)(?:annotations/)?worker-response/iteration-(?P<iteration>\d+)/"
    r"(?P<id>.+)/[^/]+\.json"
)
_REQUEST = re.compile(
    r"(?P<job>.*?)(?:annotations/)?consolidated-annotation/consolidation-request/.+\.json"
)


@dataclass(frozen=True, slots=True)
class FinishedObject:
    """An object of the job: where the answers lie, its line, and the built-in's label."""

    id: str
    files: tuple[str, ...] = ()
    """Worker responses."""
    request: RequestedObject | None = None
    """Where there are no worker responses."""
    line: ManifestLine | None = None
    builtin: MaskLabel | None = None

    @property
    def line_number(self) -> int | None:
        """See `SourceObject`."""
        return None if self.line is None else self.line.number

    def load(self) -> LabeledObject:
        """See `SourceObject`."""
        line: Mapping[str, Any] = {} if self.line is None else self.line.content()
        if self.request is not None:
            obj = self.request.load()
            return replace(obj, line=line or obj.line, builtin=self.builtin)
        answers, seconds = [], {}
        for file in self.files:
            data = storage.read_bytes(file)
            try:
                responses = parse_worker_responses(data, file)
            except SourceError as error:
                # other files of the object may be whole
                name = file.replace("\\", "/").rpartition("/")[2]
                responses = [WorkerResponse(Annotation(name, error=str(error)))]
            for response in responses:
                worker = response.annotation.worker
                answers.append((worker, AnnotationAnswer(response.annotation)))
                if response.seconds is not None:
                    seconds[worker] = response.seconds
        return LabeledObject(self.id, line, answers, builtin=self.builtin, seconds=seconds)


class FinishedJob(Source):
    """Worker responses, or consolidation requests where there are none, and what became of them.

    The output manifest gives lines, classes and the built-in's masks; an input manifest, if one
    is given, its lines instead.
    """

    name = "ground-truth"
    kind = "finished Ground Truth job"
    items: Sequence[FinishedObject]

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether it has a finished job's folders."""
        return any(
            pattern.fullmatch(entry.name)
            for entry in place.entries or ()
            for pattern in (_RESPONSE, _REQUEST)
        )

    def __init__(self, place: Place, options: SourceOptions) -> None:
        self._place = place
        self.folder = place.folder
        folders, responses = _responses(place)
        requests = [] if responses else request_files(place)
        folders |= {match["job"] for name in requests if (match := _REQUEST.fullmatch(name))}
        if len(folders) > 1:
            named = ", ".join(repr(folder.rstrip("/")) for folder in sorted(folders)[:5])
            raise SourceError(f"{place.uri} holds several jobs, give one of them: {named}")
        self._job = folders.pop() if folders else ""
        self._used = [*requests, *(name for names in responses.values() for name in names)]
        self._output = self._manifest_below(place)
        self.manifest = ManifestFile(options.manifest) if options.manifest else self._output
        self._labels = AnswerLabels()
        self._classes: Classes | None = None
        if responses:
            items = [
                FinishedObject(object_id, tuple(map(place.below, names)))
                for object_id, names in responses.items()
            ]
        else:
            files = list(map(place.below, requests))
            indexed = index_requests(files, place.uri, self._labels, options.limits)
            items = [FinishedObject(item.id, request=item) for item in indexed]
        if all(is_number(item.id) for item in items):
            items.sort(key=lambda item: by_value(item.id))
        pictures = {
            item.id: None if item.request is None else item.request.source_ref for item in items
        }
        lines = {} if self.manifest is None else self.manifest.lines_of(pictures)
        labels = self._builtin_labels(list(pictures))
        self.items = [
            replace(item, line=lines.get(item.id), builtin=labels.get(item.id)) for item in items
        ]

    def _manifest_below(self, place: Place) -> ManifestFile | None:
        uri = place.beside(self._job + MANIFEST)
        if uri is None:
            return None
        self._used.append(self._job + MANIFEST)
        return ManifestFile(uri)

    def _builtin_labels(self, ids: Sequence[str]) -> dict[str, MaskLabel]:
        """Labels that the job itself gave its objects, with masks that can be reached."""
        if self._output is None:
            return {}
        listed: dict[str, list[MaskLabel]] = {}
        for object_id, number in self._output.find(ids).items():
            with contextlib.suppress(ObjectError):
                listed[object_id] = mask_labels(self._output.content(number))
        folder = self._place.named(self._job).lower()
        own = {
            key: [label for label in labels if label.job_name.rpartition("/")[2].lower() == folder]
            for key, labels in listed.items()
        }
        # lines may have gone through several jobs, and the folder may have another name
        chosen = own if any(own.values()) else listed
        interned: dict[tuple[MaskClass, ...], tuple[MaskClass, ...]] = {}
        builtin = {}
        for object_id, labels in chosen.items():
            if not labels:
                continue
            self._learn_classes(labels[-1])
            uri = self._nearby(labels[-1].mask_uri)
            # many lines, one list of classes
            classes = interned.setdefault(labels[-1].classes, labels[-1].classes)
            builtin[object_id] = replace(labels[-1], mask_uri=uri, classes=classes)
        # a copy that has left out all masks is whole in its way: nothing is to be compared
        return builtin if any(mask_label.mask_uri for mask_label in builtin.values()) else {}

    def _nearby(self, uri: str) -> str:
        """Where a mask lies: in the job's copy, whose names may have lost the colons of times.

        A local copy without the mask is not compared with what may still be on S3: empty.
        """
        tail = uri.partition("/consolidated-annotation/")[2]
        for name in (tail, tail.replace(":", "_")):
            for folder in ("annotations/consolidated-annotation/", "consolidated-annotation/"):
                here = self._place.beside(self._job + folder + name) if name else None
                if here is not None:
                    self._used.append(self._job + folder + name)
                    return here
        return uri if storage.is_s3(self._place.uri) else ""

    def _learn_classes(self, label: MaskLabel) -> None:
        """Classes in the order of the built-in's own masks."""
        listed = [entry for entry in label.classes if entry.index > 0 and entry.name != UNDECIDED]
        listed.sort(key=lambda entry: entry.index)
        places = list(range(1, len(listed) + 1))
        if not listed or [entry.index for entry in listed] != places:
            return
        try:
            names = Classes.of_labels([entry.name for entry in listed]).names
        except OptionError:
            return
        known = self._classes
        if known is None or len(names) > len(known):
            self._classes = Classes(names, {entry.index: entry.color for entry in listed})

    def classes(self) -> Classes:
        """Classes of a file beside the job, of the built-in's masks, or all answers' by name."""
        beside, console = (self._place.beside(self._job + n) for n in (LABELS_FILE, CONSOLE_DATA))
        if beside is not None:
            return parse_classes(storage.read_bytes(beside), beside)
        if self._classes is not None:
            return self._classes
        if console is not None:
            return parse_classes(storage.read_bytes(console), console)
        for item in self.items:
            _add_labels(item, self._labels)
        return self._labels.classes(self._place.uri)

    def stamp(self) -> str:
        """See `Source`."""
        return self._place.stamp(self._used)


def _responses(place: Place) -> tuple[set[str], dict[str, list[str]]]:
    """Job folders below the place; response files by object, of its last iteration."""
    folders: set[str] = set()
    by_object: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for entry in place.entries or ():
        match = _RESPONSE.fullmatch(entry.name)
        if match:
            folders.add(match["job"])
            by_object[match["id"]][int(match["iteration"])].append(entry.name)
    latest = {
        object_id: sorted(iterations[max(iterations)], key=by_number)
        for object_id, iterations in by_object.items()
    }
    return folders, latest


def _add_labels(item: FinishedObject, labels: AnswerLabels) -> None:
    for file in item.files:
        try:
            responses = parse_worker_responses(storage.read_bytes(file), file)
        except ConsolidationError:
            # it will be reported when its object is consolidated
            continue
        for response in responses:
            labels.add(item.id, AnnotationAnswer(response.annotation), DEFAULT_LIMITS)

"""A finished Ground Truth job: its folder or ``s3://`` prefix, as the service leaves it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consolidation import storage
from consolidation.answers import AnnotationAnswer
from consolidation.errors import ConsolidationError, ObjectError, SourceError
from consolidation.groundtruth import (
    MaskClass,
    MaskLabel,
    label_names,
    mask_labels,
    parse_classes,
    parse_worker_responses,
)
from consolidation.jobs.sources.base import Source, SourceOptions
from consolidation.jobs.sources.manifest import ManifestFile, ManifestLine
from consolidation.jobs.sources.place import Place
from consolidation.jobs.sources.requests import (
    LABELS_FILE,
    RequestedObject,
    by_number,
    by_value,
    classes_by_name,
    index_requests,
    is_number,
    request_files,
)
from consolidation.masks import UNDECIDED, Classes
from consolidation.prepare import LabeledObject

MANIFEST = "manifests/output/output.manifest"
CONSOLE_DATA = "annotation-tool/data.json"
_RESPONSE = re.compile(
    r"(?P<job>.*?)(?:annotations/)?worker-response/iteration-(?P<iteration>\d+)/"
    r"(?P<id>[^/]+)/[^/]+\.json"
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
        line: Mapping[str, Any] = {} if self.line is None else self.line.read()
        if self.request is not None:
            obj = self.request.load()
            return replace(obj, line=line or obj.line, builtin=self.builtin)
        answers, seconds = [], {}
        for file in self.files:
            for one in parse_worker_responses(storage.read_bytes(file), file):
                worker = one.annotation.worker
                answers.append((worker, AnnotationAnswer(one.annotation)))
                if one.seconds is not None:
                    seconds[worker] = one.seconds
        return LabeledObject(self.id, line, answers, builtin=self.builtin, seconds=seconds)


class FinishedJob(Source):
    """Worker responses, or consolidation requests where there are none, and what became of them.

    The output manifest gives lines, classes and the built-in's masks; an input manifest, if one
    is given, its lines instead.
    """

    kind = "finished Ground Truth job"
    items: Sequence[FinishedObject]

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether it has a finished job's folders."""
        return any(
            pattern.fullmatch(one.name)
            for one in place.entries or ()
            for pattern in (_RESPONSE, _REQUEST)
        )

    def __init__(self, place: Place, options: SourceOptions) -> None:
        self._place = place
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
        self._labels: set[str] = set()
        self._classes: Classes | None = None
        self._interned: dict[tuple[MaskClass, ...], tuple[MaskClass, ...]] = {}
        if responses:
            found = [
                FinishedObject(object_id, tuple(map(place.below, names)))
                for object_id, names in responses.items()
            ]
        else:
            files = list(map(place.below, requests))
            indexed = index_requests(files, place.uri, self._labels, options.limits)
            found = [FinishedObject(one.id, request=one) for one in indexed]
        if all(is_number(one.id) for one in found):
            found.sort(key=lambda one: by_value(one.id))
        self.items = [self._placed(one) for one in found]

    def _manifest_below(self, place: Place) -> ManifestFile | None:
        uri = place.beside(self._job + MANIFEST)
        if uri is None:
            return None
        self._used.append(self._job + MANIFEST)
        return ManifestFile(uri)

    def _placed(self, one: FinishedObject) -> FinishedObject:
        """Return the object with its line and the built-in's label."""
        line = builtin = None
        if self.manifest is not None and (number := self.manifest.number(one.id)) is not None:
            line = self.manifest.line(number)
        if self._output is not None and (number := self._output.number(one.id)) is not None:
            try:
                labels = mask_labels(self._output.line(number).read())
            except ObjectError:
                labels = []
            builtin = self._this_jobs(labels)
        if builtin is not None:
            self._learn_classes(builtin)
            # many lines, one list of classes
            classes = self._interned.setdefault(builtin.classes, builtin.classes)
            uri = self._nearby(builtin.mask_uri)
            builtin = replace(builtin, mask_uri=uri, classes=classes)
        return replace(one, line=line, builtin=builtin)

    def _this_jobs(self, labels: Sequence[MaskLabel]) -> MaskLabel | None:
        """Of the labels of a line that went through several jobs, the last one's."""
        folder = (self._place.uri + "/" + self._job).rstrip("/").rpartition("/")[2].lower()
        own = [one for one in labels if one.job_name.rpartition("/")[2].lower() == folder]
        return next(reversed(own or labels), None)

    def _nearby(self, uri: str) -> str:
        """Local copy of a mask, where the job was copied; times have colons, copies may not."""
        tail = uri.partition("/consolidated-annotation/")[2]
        for name in (tail, tail.replace(":", "_")):
            for folder in ("annotations/consolidated-annotation/", "consolidated-annotation/"):
                here = self._place.beside(self._job + folder + name) if name else None
                if here is not None:
                    return here
        return uri

    def _learn_classes(self, label: MaskLabel) -> None:
        """Classes in the order of the built-in's own masks."""
        listed = [one for one in label.classes if one.index > 0 and one.name != UNDECIDED]
        listed.sort(key=lambda one: one.index)
        places = list(range(1, len(listed) + 1))
        if not listed or [one.index for one in listed] != places:
            return
        names = Classes.of_labels([one.name for one in listed]).names
        known = self._classes
        if known is None or len(names) > len(known):
            self._classes = Classes(names, {one.index: one.color for one in listed})

    def own_classes(self) -> Classes:
        """Classes of a file beside the job, of the built-in's masks, or all answers' by name."""
        beside, console = (self._place.beside(self._job + n) for n in (LABELS_FILE, CONSOLE_DATA))
        if beside is not None:
            return parse_classes(storage.read_bytes(beside), beside)
        if self._classes is not None:
            return self._classes
        if console is not None:
            return parse_classes(storage.read_bytes(console), console)
        labels = set(self._labels)
        for one in self.items:
            labels |= _labels(one)
        return classes_by_name(labels, self._place.uri)

    def stamp(self) -> str:
        """See `Source`."""
        return self._place.stamp(self._used)


def _responses(place: Place) -> tuple[set[str], dict[str, list[str]]]:
    """Job folders below the place; response files by object, of its last iteration."""
    folders: set[str] = set()
    by_object: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in place.entries or ():
        match = _RESPONSE.fullmatch(one.name)
        if match:
            folders.add(match["job"])
            by_object[match["id"]][int(match["iteration"])].append(one.name)
    latest = {
        object_id: sorted(iterations[max(iterations)], key=by_number)
        for object_id, iterations in by_object.items()
    }
    return folders, latest


def _labels(one: FinishedObject) -> set[str]:
    found: set[str] = set()
    for file in one.files:
        try:
            for response in parse_worker_responses(storage.read_bytes(file), file):
                found.update(label_names(response.annotation.content or ""))
        except ConsolidationError:
            # it will be reported when its object is consolidated
            continue
    return found

"""An export of Label Studio: one JSON file, or a folder of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from consolidation.errors import SourceError
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File
from consolidation.formats.groundtruth.spans import Span
from consolidation.formats.json_stream import MOST_BYTES, LongLists, json_values
from consolidation.formats.label_studio.tasks import (
    ANNOTATION,
    MIN,
    TASKS,
    Task,
    TaskPart,
    identity_of,
    picture_of,
)
from consolidation.formats.place import Place
from consolidation.formats.sniff import JsonBeginning, beginning, files, first_files
from consolidation.formats.source import SourceOptions

_ENDINGS = (".json", "")
"""Storages that Label Studio writes to give its files no ending."""


@dataclass(frozen=True)
class _Entry:
    file: File
    span: Span
    form: str
    lists: LongLists


class _Keys:
    """Keys of images: their task's id, which exports of two servers or projects may share."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self.shared = 0
        """Pictures whose id was that of another picture."""

    def of(self, task: str, identity: str, name: str) -> str:
        """Key of a picture: the same for the same id and picture, else another."""
        known = self._keys.get((task, identity))
        if known is not None:
            return known
        self.shared += task in self._taken
        key, number = task, 1
        while key in self._taken:
            key = f"{task}/{name}" if number == 1 and name else f"{task}/{number + 1}"
            number += 1
        self._taken.add(key)
        self._keys[task, identity] = key
        return key


class LabelStudio(DrawnSource):
    """JSON of Label Studio: tasks, each annotated by several people."""

    name = "label-studio"
    kind = "export of Label Studio"

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether a JSON file there looks like an export."""
        return any(start.tells(_form) for start in first_files(place, *_ENDINGS))

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content()
        projects: set[str] = set()
        keys, kinds = _Keys(), Counter[str]()
        copies = 0
        for number, entry in enumerate(self._entries(place)):
            task = Task.of(entry.lists.value, entry.form, f"task-{number + 1}")
            content.left_out += task.n_left_out
            content.add_regions(task.labels())
            kinds += task.kinds()
            if task.project:
                projects.add(task.project)
            if not task.annotations:
                content.left_out["tasks without an annotation"] += 1
            truths = [bool(annotation.get("ground_truth")) for annotation in task.annotations]
            copies += sum(
                bool(annotation.get("parent_annotation")) for annotation in task.annotations
            )
            for key in task.images() if task.annotations else ():
                name, picture = picture_of(task.data, key)
                several = "" if key is None else f"/{key.to_name}-{key.page}".replace("/-", "/")
                own = keys.of(task.key + several, identity_of(task.data, name, picture), name)
                image = content.image(own, name, picture)
                image.truth |= any(truths)
                image.votes |= not all(truths)
                image.parts.append(
                    TaskPart(entry.file, entry.span, entry.form, key, options.emails)
                )
        if kinds and not kinds[""]:
            listed = ", ".join(f"{kind} {n:,}" for kind, n in sorted(kinds.items()))
            raise SourceError(f"{place.uri}: nothing in it has an area, there is only: {listed}")
        if keys.shared:
            content.notes.append(
                "pictures whose task has the id of another picture's, each an object of its own: "
                f"{keys.shared:,}; so the exports are of several servers or projects, where a "
                "number of an annotator may mean another person"
            )
        if len(projects) > 1:
            content.notes.append(
                f"tasks of {len(projects)} projects: a number of an annotator may mean another "
                "person in each"
            )
        if copies:
            content.notes.append(
                f"annotations that began as a copy of another, and are not independent: {copies:,}"
            )
        return content

    def _entries(self, place: Place) -> Iterator[_Entry]:
        """Tasks and annotations of all files."""
        for name, file in files(place, *_ENDINGS):
            start = beginning(place, file)
            form = start.tells(_form)
            if not form:
                continue
            self._used.append(name)
            if start.json.top == "{":
                data = file.read_all(MOST_BYTES)
                yield self._parsed(file, Span(0, len(data)), form, data)
                continue
            for value in json_values(file.read, str(file), 1):
                yield self._parsed(file, value.span, form, value.data)

    def _parsed(self, file: File, span: Span, form: str, data: bytes) -> _Entry:
        try:
            return _Entry(file, span, form, LongLists(data))
        except ValueError as error:
            raise SourceError(
                f"{file} is not JSON: the entry at byte {span.start:,}: {error}"
            ) from None


def _form(start: JsonBeginning) -> str:
    """Form of a file's entries; empty if it is no export."""
    at = "[]." if start.top == "[" else ""
    tasks = (f"{at}annotations", f"{at}completions")
    if start.has(f"{at}data") and any(path in start.paths for path in tasks):
        return TASKS
    if any(f"{path}[].result" in start.paths for path in tasks):
        return TASKS
    if start.has(f"{at}result") and start.has(f"{at}task"):
        return ANNOTATION
    if start.has("[].annotation_id", "[].annotator"):
        return MIN
    return ""

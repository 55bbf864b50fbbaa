"""Exports "CVAT for images": XML, or zips of it, one a job and so one an annotator.

A task's own export leaves consensus replicas out: export each replica's job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from consolidation.errors import SourceError
from consolidation.formats.annotators import Annotator, distinct
from consolidation.formats.cvat.images import CONSENSUS, NO_AREA, SHAPES, ImagePart
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File
from consolidation.formats.groundtruth.spans import Span
from consolidation.formats.place import Place
from consolidation.formats.sniff import beginning, files, first_files
from consolidation.formats.source import SourceOptions
from consolidation.formats.xml import walk


@dataclass
class _Listed:
    name: str
    attributes: Mapping[str, str]
    span: Span | None = None


@dataclass
class _Job:
    """What one file says."""

    file: File
    images: list[_Listed] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    """Colour by name, as the file lists them."""
    used: Counter[str | None] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    meta: dict[str, str] = field(default_factory=dict)
    merged: bool = False
    encoding: str = "utf-8"
    _label: dict[str, str] = field(default_factory=dict)

    def begin(self, path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        """Take note of an element that begins."""
        if path == ("annotations", "image"):
            self.images.append(_Listed(attributes.get("name", ""), dict(attributes)))
        elif path[:2] == ("annotations", "image") and len(path) == 3:
            self.merged |= attributes.get("source") == CONSENSUS
            if path[2] in SHAPES:
                self.used[attributes.get("label")] += 1
            elif path[2] in NO_AREA:
                self.left_out[f"shapes without an area ({path[2]})"] += 1
        elif path[:2] == ("annotations", "track"):
            raise SourceError(
                f'{self.file}: an export of a video (it has tracks); export as "CVAT for images"'
            )

    def end(self, path: tuple[str, ...], text: str, span: Span) -> None:
        """Take note of an element that ends."""
        if path == ("annotations", "image"):
            self.images[-1].span = span
        elif path[:2] == ("annotations", "meta"):
            if path[-2:] == ("label", "name") or path[-2:] == ("label", "color"):
                self._label[path[-1]] = text
            elif path[-2:] == ("label", "type"):
                self._label["type"] = text
            elif path[-2:] == ("labels", "label"):
                if self._label.get("type", "any") not in NO_AREA and self._label.get("name"):
                    self.labels.setdefault(self._label["name"], self._label.get("color", ""))
                self._label = {}
            elif len(path) <= 5:
                self.meta.setdefault("/".join(path[2:]), text)

    def annotator(self, emails: bool) -> Annotator:
        """Who drew it: the job's assignee, else the job, else the file."""
        for kind in ("job", "task", "project"):
            name = self.meta.get(f"{kind}/assignee/{'email' if emails else 'username'}")
            if name:
                return Annotator(name, self.file)
        job = self.meta.get("job/id")
        return Annotator(f"job-{job}" if job else "", self.file)


class CvatImages(DrawnSource):
    """XML of CVAT, one file an annotator."""

    name = "cvat"
    kind = 'export "CVAT for images"'

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether there is XML of CVAT, by itself or in a zip."""
        return any(start.xml_root == "annotations" for start in first_files(place, ".xml"))

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content(ordered=True)
        jobs = []
        for file in self._files(place):
            job = _Job(file)
            job.encoding = walk(file.windows(), str(file), job.begin, job.end)
            content.left_out += job.left_out
            if job.merged:
                content.notes.append(f"{file} is left out: CVAT merged it from the others")
                continue
            jobs.append(job)
            content.labels |= job.labels | content.labels
        for job in jobs:
            content.ordered &= bool(job.labels)
            content.add_regions(job.used.elements())
        workers = distinct(
            [job.annotator(options.emails) for job in jobs],
            [{entry.name for entry in job.images} for job in jobs],
            place,
        )
        for job, worker in zip(jobs, workers, strict=True):
            names = Counter(entry.name for entry in job.images)
            for entry in job.images:
                at = entry.attributes
                key = entry.name
                if names[key] > 1:
                    key = "/".join([at.get("subset", ""), at.get("task_id", ""), key]).strip("/")
                image = content.image(key, key)
                image.votes = True
                assert entry.span is not None
                image.parts.append(ImagePart(job.file, entry.span, job.encoding, worker))
        return content

    def _files(self, place: Place) -> list[File]:
        """XML files, and zips with one in them."""
        exports = []
        for name, file in files(place, ".xml"):
            if beginning(place, file).xml_root == "annotations":
                exports.append(file)
                self._used.append(name)
        if not exports:
            raise SourceError(f"{place.uri}: no XML of CVAT in it")
        return exports

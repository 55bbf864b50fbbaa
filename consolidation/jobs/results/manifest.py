"""The files of a finished run, made from its records in one go: tables, manifest, reports."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from consolidation import storage
from consolidation._version import __version__
from consolidation.consensus import Reliability
from consolidation.errors import ObjectError, RunError
from consolidation.formats import Source
from consolidation.formats.groundtruth import compact, manifest_line
from consolidation.formats.groundtruth.manifest import METADATA_SUFFIX
from consolidation.jobs.folder.layout import CONFUSION, MANIFEST, PROVENANCE, RELIABILITY, REVIEW
from consolidation.jobs.folder.records import Record
from consolidation.jobs.results.review import review_manifest
from consolidation.jobs.results.tables import Tables
from consolidation.jobs.work.learning import Learnt
from consolidation.jobs.work.objects import Job
from consolidation.text import rounded


def write_results(
    job: Job, source: Source, records: Iterable[Record], learnt: Learnt
) -> tuple[Tables, set[str]]:
    """Write tables and manifests; return what the tables counted, and the names of the files.

    Raises
    ------
    RunError
        If records are missing: another run into the same S3 prefix has taken them away.
    """
    options = job.options
    shortlisted = options.report_images if options.report else 0
    tables = Tables(job.classes.names, shortlisted, learnt.reliability)
    written = set()

    def path(name: str) -> str:
        written.add(name)
        return storage.join(job.out, name)

    with (
        storage.writer(path(MANIFEST)) as manifest,
        storage.writer(path("failures.jsonl")) as failures,
        storage.writer(path("warnings.jsonl")) as warnings,
        storage.writer(path("regions.jsonl")) as regions,
    ):
        lines = _Lines(source, job.options.label_attribute)
        for record in records:
            tables.add(record, options.review_below)
            if record.failed:
                failures.write(_line({"object": record.id, "reason": record.reason}))
            for worker, message, _ in record.warnings:
                warnings.write(_line({"object": record.id, "worker": worker, "message": message}))
            for region in record.regions:
                regions.write(_line({"object": record.id, **region}))
            for line in lines.place(record):
                manifest.write(line)
        for line in lines.rest():
            manifest.write(line)
        missing = len(source.items) - tables.images - tables.failures
        if missing:
            raise RunError(
                f"the records of {missing:,} objects are gone: another run has written into "
                f"{job.out}; the same command goes on from here"
            )
    if options.review_below:
        review = review_manifest(tables.to_review, options.label_attribute, options.review_below)
        with storage.writer(path(REVIEW)) as file:
            file.writelines(f"{line}\n".encode() for line in review)
    with storage.writer(path("images.csv")) as file:
        file.writelines(tables.images_csv())
    reliability = tables.reliability
    storage.write_bytes(path("workers.csv"), tables.workers_csv())
    storage.write_bytes(path(PROVENANCE), _pretty(_provenance(job, learnt, reliability)))
    if reliability is not None:
        storage.write_bytes(path(RELIABILITY), reliability.to_json().encode())
    if learnt.confusion is not None:
        storage.write_bytes(path(CONFUSION), learnt.confusion.to_json().encode())
    return tables, written


class _Lines:
    """Lines of the output manifest in the order of the input manifest, or of the objects.

    Records come in the order of the objects, which is the manifest's wherever ids are line
    numbers; a line whose turn has not come waits.
    """

    def __init__(self, source: Source, attribute: str) -> None:
        self._manifest, self._attribute = source.manifest, attribute
        self._numbers = {item.id: item.line_number for item in source.items}
        self._expected = {number for number in self._numbers.values() if number is not None}
        self._waiting: dict[int, bytes] = {}
        self._next = 0
        self._last: list[bytes] = []

    def place(self, record: Record) -> Iterator[bytes]:
        """Lines that can be written now that this record is known."""
        number = self._numbers[record.id]
        if self._manifest is None:
            yield _encoded(record.line)
        elif number is None:
            # not in the manifest: at the end, not lost
            self._last.append(_encoded(record.line))
        else:
            # what failed may not even have got as far as its line
            line = self._unlabelled(number) if record.failed else _encoded(record.line)
            self._waiting[number] = line
            yield from self._ready()

    def _ready(self) -> Iterator[bytes]:
        assert self._manifest is not None
        while self._next < len(self._manifest):
            if self._next in self._waiting:
                yield self._waiting.pop(self._next)
            elif self._next in self._expected:
                return
            else:
                yield self._unlabelled(self._next)
            self._next += 1

    def _unlabelled(self, number: int) -> bytes:
        """A line without a result: as it came but for this job's label."""
        assert self._manifest is not None
        names = (self._attribute, self._attribute + METADATA_SUFFIX)
        with contextlib.suppress(ObjectError):
            content = self._manifest.content(number)
            if not content.keys().isdisjoint(names):
                return _encoded(manifest_line(content, self._attribute, None, None))
        return self._manifest.raw(number) + b"\n"

    def rest(self) -> Iterator[bytes]:
        """Lines that are left at the end."""
        if self._manifest is not None:
            yield from self._ready()
        yield from self._last


def _provenance(job: Job, learnt: Learnt, reliability: Reliability | None) -> dict[str, Any]:
    """JSON-ready: version, options, classes, and what is known over the job."""
    options = job.options.results()
    if not job.options.spec.smooths:
        # it decides by other means
        del options["smoothing"]
    content: dict[str, Any] = {
        "version": __version__,
        "creation_date": job.creation_date,
        "options": options,
        "classes": list(job.classes.names),
    }
    if learnt.choice is not None:
        content["auto"] = learnt.choice.as_dict()
    if reliability is not None:
        estimate = reliability.estimate()
        content["reliability"] = {
            "quality": {key: round(value, 6) for key, value in estimate.quality.items()},
            **estimate.named(),
            "twins": [list(pair) for pair in reliability.twins()],
            "rounds": estimate.rounds,
            "converged": estimate.converged,
            "krippendorff_alpha": rounded(reliability.krippendorff_alpha()),
        }
    return content


def _line(content: Mapping[str, Any]) -> bytes:
    return _encoded(compact(content))


def _encoded(line: str) -> bytes:
    # half a surrogate pair becomes the escape that it was in JSON
    return f"{line}\n".encode("utf-8", "backslashreplace")


def _pretty(content: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")

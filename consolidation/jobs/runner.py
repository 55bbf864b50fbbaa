"""A whole job: every object through the pipeline, stopped at any instant, gone on with later."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from consolidation.consensus import Calibration, Reliability
from consolidation.formats import Source
from consolidation.jobs.folder.lock import only_run_in
from consolidation.jobs.folder.record_store import RecordStore
from consolidation.jobs.folder.state import RunState
from consolidation.jobs.results.manifest import write_results
from consolidation.jobs.results.report import write_report
from consolidation.jobs.results.shortlist import Shortlist
from consolidation.jobs.results.tables import Tables
from consolidation.jobs.work.learning import Learnt, choose, gather
from consolidation.jobs.work.objects import Job, Task, consolidate_chunk, learn_chunk
from consolidation.jobs.work.parallel import Workers, chunks
from consolidation.masks import Classes
from consolidation.names import file_names
from consolidation.options import Options


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    images: int
    failures: int
    warnings: int
    workers: int
    classes: int
    disputed: float
    """Share of all pixels that workers did not agree on."""
    confidence: float | None
    """Mean over images of their confidence; None without any."""
    method: str = ""
    """What `auto` chose and why, if it was asked."""
    twins: tuple[tuple[str, str], ...] = ()
    """Workers with the same answers to the pixel."""
    seconds: float = 0.0
    now: int = 0
    """Objects of this call; the others were done before."""


@dataclass
class Progress:
    """How far a run is."""

    done: int = 0
    total: int = 0
    warnings: int = 0
    failures: int = 0
    resumed: int = 0
    """Objects that were done before."""


class JobRun:
    """One run over a source into a folder.

    Parameters
    ----------
    source : Source
    classes : Classes
    out : str
        Path or ``s3://`` URI. Gets ``masks/``, ``output.manifest``, ``images.csv``,
        ``workers.csv``, ``failures.jsonl``, ``warnings.jsonl``, ``provenance.json``, and
        ``reliability.json`` if it was learnt; and ``.consolidation/``, by which a run goes on.
    options : Options
    about : mapping
        What must be the same for a run to go on, JSON-ready.
    read_from : mapping
        How the source was opened, JSON-ready.
    known : Reliability, optional
        What earlier jobs told about the same workers.
    calibration : Calibration, optional
    """

    def __init__(
        self,
        source: Source,
        classes: Classes,
        out: str,
        options: Options,
        about: Mapping[str, Any],
        read_from: Mapping[str, Any],
        known: Reliability | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self._source, self._out, self._known = source, out, known
        self._about, self._from = about, read_from
        self._names = file_names(source.ids)
        self._records = RecordStore(out, self._names)
        self._state = RunState(out, self._records)
        self._workers = Workers(options, len(source.items))
        options = replace(options, threads=self._workers.threads(options))
        self._job = Job(out, classes, options, _now(), calibration=calibration)
        self._shortlist = Shortlist(options.report_images)
        self._progress = Progress()

    def run(
        self,
        on_progress: Callable[[Progress], None] = lambda _: None,
        *,
        restart: bool = False,
        retry_failed: bool = False,
    ) -> Summary:
        """Consolidate what is not done yet, write everything, and sum it up."""
        started = time.perf_counter()
        self._on_progress = on_progress
        with only_run_in(self._out, self._state.lock_file):
            try:
                date = self._state.begin(self._about, self._from, self._job.creation_date, restart)
                self._job = replace(self._job, creation_date=date)
                done = self._records.done(retry_failed)
                summary = self._state.summary
                whole = summary is not None and self._state.has_results(self._outputs())
                if summary is not None and whole and len(done) == len(self._names):
                    self._state.tidy()
                    return _summary_again(summary)
                if retry_failed:
                    self._state.forget_statistics()
                return self._run(done, retry_failed, started)
            finally:
                self._workers.close()

    def _run(self, done: set[str], retry_failed: bool, started: float) -> Summary:
        two_passes = self._job.options.method != "plurality"
        n = len(self._names)
        self._progress = Progress(total=(1 + two_passes) * n)
        learnt = self._learn() if two_passes else Learnt()
        if self._state.learnt(learnt.digest()):
            done = self._records.done(retry_failed)
        self._job = replace(self._job, learnt=learnt.decides)
        if self._job.options.report:
            for record in self._records.read(done):
                if record.image is not None:
                    self._shortlist.add(record.id, record.image.need)
        tasks = [Task(one, self._names[one.id]) for one in self._source.items if one.id not in done]
        self._progress.done = n * two_passes + len(done)
        self._progress.resumed = len(done)
        handed_out = self._workers.chunks(tasks)
        for outcomes in self._workers.map(
            consolidate_chunk, map(self._with_threshold, handed_out), len(handed_out)
        ):
            for one in outcomes:
                self._progress.warnings += one.warnings
                if one.need is None:
                    self._progress.failures += 1
                elif self._job.options.report:
                    self._shortlist.add(one.id, one.need)
                self._advance(1)
        every = self._records.read()
        tables, written = write_results(self._job, self._source, every, learnt)
        if self._job.options.report:
            written.add(write_report(self._job, self._source, self._names, tables, learnt))
        summary = self._summary(tables, learnt)
        kept = {key: value for key, value in asdict(summary).items() if key not in _OF_THIS_CALL}
        self._state.finish(kept, self._outputs(), written)
        return replace(summary, seconds=time.perf_counter() - started, now=len(tasks))

    def _with_threshold(self, tasks: Sequence[Task]) -> tuple[Job, Sequence[Task]]:
        """Tasks, and the job with the need of review that gets an image into the report by now."""
        least = self._shortlist.least if self._job.options.report else math.inf
        return replace(self._job, snapshots_from=least), tasks

    def _outputs(self) -> dict[str, Any]:
        """Options that only change what is reported."""
        options = self._job.options
        return {
            "report": options.report_images if options.report else None,
            "review_below": options.review_below,
        }

    def _learn(self) -> Learnt:
        """First pass: what the job tells about its workers, and whether to weigh votes by it."""
        items = self._source.items
        # always the same chunks, whoever works on them: they are found again
        numbered = list(enumerate(chunks(items)))
        tasks = [(self._job, number, chunk) for number, chunk in numbered]
        for count in self._workers.map(learn_chunk, tasks, len(tasks)):
            self._advance(count)
        learnt = gather(self._job, len(numbered), self._known)
        if self._job.options.method == "auto":
            assert learnt.reliability is not None
            learnt.choice = choose(self._job, items, learnt.reliability, learnt.answered)
        return learnt

    def _advance(self, count: int) -> None:
        self._progress.done += count
        self._on_progress(self._progress)

    def _summary(self, tables: Tables, learnt: Learnt) -> Summary:
        images = tables.images
        return Summary(
            images=images,
            failures=tables.failures,
            warnings=tables.warnings,
            workers=len(tables.workers),
            classes=len(self._job.classes),
            disputed=tables.disputed / tables.pixels if tables.pixels else 0.0,
            confidence=tables.confidence / images if images else None,
            method=learnt.choice.reason if learnt.choice is not None else "",
            twins=tuple(tables.reliability.twins()) if tables.reliability is not None else (),
        )


_OF_THIS_CALL = ("seconds", "now")


def _summary_again(content: Mapping[str, Any]) -> Summary:
    twins = tuple((first, second) for first, second in content["twins"])
    return Summary(**{**content, "twins": twins})


def _now() -> str:
    """Time for the manifest, UTC; fixed by SOURCE_DATE_EPOCH where runs must repeat to the byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return now.replace(tzinfo=None).isoformat(timespec="microseconds")

"""A whole job: every object through the pipeline, stopped at any instant, gone on with later."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from consolidation.jobs.folder.lock import only_run_in
from consolidation.jobs.folder.request import OpenRun
from consolidation.jobs.folder.run_folder import RunFolder
from consolidation.jobs.results.manifest import write_results
from consolidation.jobs.results.report import write_report
from consolidation.jobs.results.shortlist import Shortlist
from consolidation.jobs.results.tables import Tables
from consolidation.jobs.work.learning import Learnt, choose, gather
from consolidation.jobs.work.objects import Job, Task, consolidate_chunk, learn_chunk
from consolidation.jobs.work.parallel import Workers, chunks
from consolidation.names import file_names


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
    unlabelled: float = 0.0
    """Share of all pixels that nobody labelled."""
    void: float = 0.0
    """Share of all pixels that nobody labelled, on purpose."""
    method: str = ""
    """What `auto` chose and why, if it was asked."""
    twins: tuple[tuple[str, str], ...] = ()
    """Workers with the same answers to the pixel."""
    background: bool = True
    """Whether class 0 is background."""
    values: str = ""
    """What stored values of masks mean, where there are such."""
    notes: tuple[str, ...] = ()
    """How the source is understood, where it could be understood in another way."""
    findings: tuple[str, ...] = ()
    """Who is not independent, or agrees with few, and the evidence: a sentence each."""
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
    run : OpenRun
    out : str
        Path or ``s3://`` URI. Gets ``masks/``, ``output.manifest``, ``images.csv``,
        ``workers.csv``, ``failures.jsonl``, ``warnings.jsonl``, ``provenance.json``, and
        ``reliability.json`` if it was learnt; and ``.consolidation/``, by which a run goes on.
    on_progress : callable, optional
        Called after each object.
    """

    def __init__(
        self, run: OpenRun, out: str, on_progress: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._opened, self._source, self._options = run, run.source, run.request.options
        self._folder = RunFolder(out, file_names(run.source.ids))
        self._workers = Workers(self._options, len(run.source.items))
        self._progress, self._on_progress = Progress(), on_progress

    def run(self, *, restart: bool = False, retry_failed: bool = False) -> Summary:
        """Consolidate what is not done yet, write everything, and sum it up."""
        started = time.perf_counter()
        folder, opened = self._folder, self._opened
        with only_run_in(folder.out, folder.lock_file):
            try:
                date = folder.begin(opened.identity, opened.request.as_dict(), _now(), restart)
                done = folder.done(retry_failed)
                whole = folder.summary is not None and folder.has_results(self._outputs())
                if folder.summary is not None and whole and len(done) == len(folder.names):
                    folder.tidy()
                    return _summary_again(folder.summary)
                if retry_failed:
                    folder.forget_statistics()
                options = replace(self._options, threads=self._workers.threads(self._options))
                calibration = opened.calibration
                job = Job(folder.out, opened.classes, options, date, calibration=calibration)
                summary, now = self._run(job, done, retry_failed)
                return replace(summary, seconds=time.perf_counter() - started, now=now)
            finally:
                self._workers.close()

    def _run(self, job: Job, done: set[str], retry_failed: bool) -> tuple[Summary, int]:
        """Both passes, and the results; the summary, and how many objects were done now."""
        folder, n = self._folder, len(self._folder.names)
        two_passes = bool(job.options.spec.learns)
        self._progress.total = (1 + two_passes) * n
        learnt = self._learn(job) if two_passes else Learnt()
        job = replace(job, learnt=learnt.decides)
        if folder.learnt(learnt.digest()):
            done = folder.done(retry_failed)
        self._progress.done = n * two_passes + len(done)
        self._progress.resumed = len(done)
        shortlist, again = self._shortlist_of(done)
        self._consolidate(job, done - again, shortlist)
        tables, written = write_results(job, self._source, folder.records(), learnt)
        if job.options.report:
            written.add(write_report(job, folder, self._source.folder, tables, learnt))
        if self._source.assembles:
            self._source.assemble(folder.out, folder.masks())
        summary = _summary(tables, learnt, len(job.classes))
        kept = {key: value for key, value in asdict(summary).items() if key not in _OF_THIS_CALL}
        folder.finish(kept, self._outputs(), written)
        return summary, n - len(done)

    def _shortlist_of(self, done: set[str]) -> tuple[Shortlist, set[str]]:
        """Images for the report among those done, and those of them to be looked at again.

        What an earlier call did without a report, or with a smaller one, left no snapshots.
        """
        shortlist = Shortlist(self._options.report_images if self._options.report else 0)
        for record in self._folder.records(done) if self._options.report else ():
            if record.image is not None:
                shortlist.add(record.id, record.image.need)
        return shortlist, self._folder.without_snapshot(shortlist.ids)

    def _consolidate(self, job: Job, done: set[str], shortlist: Shortlist) -> None:
        """Second pass, over what is not done."""
        names = self._folder.names
        tasks = [Task(item, names[item.id]) for item in self._source.items if item.id not in done]
        chunks = self._workers.chunks(tasks)
        # an image gets into the report from the need of review that is least in it by then
        calls = ((job, chunk, shortlist.least) for chunk in chunks)
        for outcomes in self._workers.map(consolidate_chunk, calls, len(chunks)):
            for outcome in outcomes:
                self._progress.warnings += outcome.warnings
                if outcome.need is None:
                    self._progress.failures += 1
                else:
                    shortlist.add(outcome.id, outcome.need)
                self._advance(1)

    def _outputs(self) -> dict[str, Any]:
        """Options that only change what is reported."""
        options = self._options
        return {
            "report": options.report_images if options.report else None,
            "review_below": options.review_below,
        }

    def _learn(self, job: Job) -> Learnt:
        """First pass: what the job tells about its workers, and whether to weigh votes by it."""
        items = self._source.items
        # always the same chunks, whoever works on them: they are found again
        numbered = list(enumerate(chunks(items)))
        tasks = ((job, number, chunk) for number, chunk in numbered)
        for count in self._workers.map(learn_chunk, tasks, len(numbered)):
            self._advance(count)
        learnt = gather(job, len(numbered), self._opened.known)
        if job.options.spec.chooses:
            assert learnt.reliability is not None
            learnt.choice = choose(job, items, learnt.reliability, learnt.answered)
        return learnt

    def _advance(self, count: int) -> None:
        # what is looked at again was counted before
        self._progress.done = min(self._progress.done + count, self._progress.total)
        self._on_progress(self._progress)


def _summary(tables: Tables, learnt: Learnt, n_classes: int) -> Summary:
    images = tables.images
    return Summary(
        images=images,
        failures=tables.failures,
        warnings=tables.warnings,
        workers=len(tables.workers),
        classes=n_classes,
        disputed=tables.share(tables.disputed),
        unlabelled=tables.share(tables.unlabelled),
        void=tables.share(tables.void),
        confidence=tables.confidence / images if images else None,
        method=learnt.choice.reason if learnt.choice is not None else "",
        twins=tuple(tables.reliability.twins()) if tables.reliability is not None else (),
        findings=tuple(tables.findings()),
    )


_OF_THIS_CALL = ("background", "values", "notes", "seconds", "now")


def _summary_again(content: Mapping[str, Any]) -> Summary:
    twins = tuple((first, second) for first, second in content["twins"])
    return Summary(**{**content, "twins": twins, "findings": tuple(content["findings"])})


def _now() -> str:
    """Time for the manifest, UTC; fixed by SOURCE_DATE_EPOCH where runs must repeat to the byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return now.replace(tzinfo=None).isoformat(timespec="microseconds")

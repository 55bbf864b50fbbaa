"""The report of a run, filled from its records and from the images most in need of review."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation._version import __version__
from consolidation.consensus import METHODS, Reliability
from consolidation.jobs.folder.layout import REPORT
from consolidation.jobs.folder.records import Record
from consolidation.jobs.folder.run_folder import RunFolder
from consolidation.jobs.results.pictures import picture_bytes
from consolidation.jobs.results.tables import Tables
from consolidation.jobs.results.worker_totals import WorkerRow
from consolidation.jobs.work.learning import Learnt
from consolidation.jobs.work.objects import Job
from consolidation.objects import MaskClass
from consolidation.report import Region, Report, ReportImage, ReportWorker, render, small_jpeg
from consolidation.report.snapshot import SIDE

PICTURES_AT_ONCE = 8


def write_report(
    job: Job, folder: RunFolder, pictures_from: str, tables: Tables, learnt: Learnt
) -> str:
    """Write overview, workers, classes, and the shortlist's images; return the file's name."""
    shown = [tables.shortlisted[object_id] for object_id in tables.shortlist.ids]
    method = job.options.method
    reliability = tables.reliability
    rows = tables.worker_rows()
    alpha = None if reliability is None else reliability.krippendorff_alpha()
    report = Report(
        title=job.options.job_name,
        classes=_classes(job),
        images=_images(job, folder, pictures_from, shown),
        n_images=tables.images,
        workers=_workers(rows, method),
        disputed=tables.share(tables.disputed),
        unlabelled=tables.share(tables.unlabelled),
        void=tables.share(tables.void),
        confidence=tables.confidence / tables.images if tables.images else math.nan,
        alpha=alpha,
        method=method,
        reason="" if learnt.choice is None else learnt.choice.reason,
        failures=tables.failures,
        warnings=tables.warnings,
        version=__version__,
        created=job.creation_date,
        pairs=None if reliability is None else _pairs(reliability, rows),
        confusion=tables.confusion,
        class_confidence=tables.class_confidence.tolist(),
    )
    with storage.writer(storage.join(job.out, REPORT)) as file:
        file.writelines(render(report))
    return REPORT


def _classes(job: Job) -> list[MaskClass]:
    colors = job.classes.hex_colors()
    pairs = zip(job.classes.names, colors, strict=True)
    return [MaskClass(index, name, color) for index, (name, color) in enumerate(pairs)]


def _workers(rows: Sequence[WorkerRow], method: str) -> list[ReportWorker]:
    workers = []
    for row in rows:
        totals = row.totals
        workers.append(
            ReportWorker(
                id=row.worker,
                images=totals.images,
                reliability=None if math.isnan(row.reliability) else row.reliability,
                interval=None if math.isnan(row.interval[0]) else row.interval,
                agreement=totals.agreement,
                class_iou=totals.class_iou.tolist(),
                blank=totals.blank_answers,
                dropped=totals.dropped_answers,
                seconds=None if math.isnan(totals.mean_seconds) else totals.mean_seconds,
                junk=bool(row.junk),
                votes=not row.junk or not METHODS[method].learns_reliability,
                twins=row.twins,
                note=row.note,
            )
        )
    return workers


def _pairs(reliability: Reliability, rows: Sequence[WorkerRow]) -> NDArray[np.float64]:
    """Agreement of every two workers, in the order of the rows."""
    workers, matrix = reliability.agreement_matrix()
    row_of = {worker: index for index, worker in enumerate(workers)}
    pairs = np.full((len(rows), len(rows)), np.nan)
    for i, first in enumerate(rows):
        for j, second in enumerate(rows):
            if first.worker in row_of and second.worker in row_of:
                pairs[i, j] = matrix[row_of[first.worker], row_of[second.worker]]
    return pairs


def _images(
    job: Job, folder: RunFolder, pictures_from: str, shown: Sequence[Record]
) -> Iterator[ReportImage]:
    pictures = _pictures(pictures_from, shown)
    for record, picture in zip(shown, pictures, strict=True):
        image = record.image
        assert image is not None
        yield ReportImage(
            id=record.id,
            confidence=image.confidence,
            disputed=image.disputed,
            tied=image.tied,
            undecided=image.undecided,
            unlabelled=image.unlabelled,
            n_workers=image.workers,
            need=image.need,
            agreement={
                worker.worker: worker.agreement(len(job.classes)) for worker in record.workers
            },
            warnings=[
                f"{worker}: {text}" if worker else text for worker, text, _ in record.warnings
            ],
            regions=[_region(region) for region in record.regions],
            snapshot=folder.snapshot(record.id),
            picture=picture,
        )


def _pictures(folder: str, shown: Iterable[Record]) -> Iterator[bytes | None]:
    """Small pictures, where they can be had; S3 that cannot be reached is not asked again."""
    reachable = True

    def read(record: Record) -> bytes | None:
        nonlocal reachable
        image = record.image
        if image is None or not reachable:
            return None
        try:
            data = picture_bytes(json.loads(record.line), folder)
        except storage.StorageError as error:
            reachable = error.absent
            return None
        return None if data is None else small_jpeg(data, (image.height, image.width), SIDE)

    shown = list(shown)
    with ThreadPoolExecutor(PICTURES_AT_ONCE) as pool:
        for start in range(0, len(shown), PICTURES_AT_ONCE):
            yield from pool.map(read, shown[start : start + PICTURES_AT_ONCE])


def _region(region: Mapping[str, Any]) -> Region:
    """A region as the report shows it: its box by corners, and those against the consensus."""
    box = region["box"]
    left, top = box["left"], box["top"]
    against = [
        worker
        for name, workers in region["workers"].items()
        if name != region["consensus"]
        for worker in workers
    ]
    return Region(
        box=(left, top, left + box["width"], top + box["height"]),
        area=region["area"],
        classes=list(region["shares"]),
        workers=against,
        reason=region["reason"],
    )

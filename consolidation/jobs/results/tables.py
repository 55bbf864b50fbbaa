"""The tables of a run: images, most in need of review first; workers, least reliable first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import Reliability
from consolidation.jobs.folder.records import Record
from consolidation.jobs.results.csv_text import csv_row, encoded, to_csv
from consolidation.jobs.results.review import ReviewItem
from consolidation.jobs.results.shortlist import Shortlist
from consolidation.jobs.results.worker_totals import WorkerRow, WorkerTotals

IMAGE_COLUMNS = (
    "id",
    "need",
    "confidence",
    "workers",
    "height",
    "width",
    "disputed",
    "tied",
    "undecided",
    "unlabelled",
    "void",
    "ignored",
    "mean_agreement",
    "warnings",
    "mask",
)
BUILTIN_COLUMNS = ("builtin_iou", "builtin_same")
WORKER_COLUMNS = (
    "worker",
    "images",
    "agreement",
    "reliability",
    "reliability_low",
    "reliability_high",
    "junk",
    "twins",
    "not_independent_of",
    "note",
    "blank_answers",
    "ignored",
    "dropped_answers",
    "mean_seconds",
)
"""After them the IoU with the consensus of each class."""


class Tables:
    """Rows gathered from records, of which little is kept: a job may have many.

    Parameters
    ----------
    classes : sequence of K str
        Names by index.
    shortlisted : int
        Records to keep of the images most in need of review.
    learnt : Reliability, optional
        What a first pass told; without one, records may tell how workers agree.
    """

    def __init__(
        self, classes: Sequence[str], shortlisted: int, learnt: Reliability | None = None
    ) -> None:
        self._classes, self._n_classes = classes, len(classes)
        n_classes = len(classes)
        self.confusion = np.zeros((n_classes, n_classes), np.int64)
        """[i, j]: pixels of consensus i that a worker gave j, over all workers and images."""
        self.shortlist = Shortlist(shortlisted)
        self.shortlisted: dict[str, Record] = {}
        self.to_review: list[ReviewItem] = []
        self._class_sums = np.zeros((2, n_classes))
        self._rows: list[tuple[float, str, str]] = []
        self._builtin = False
        self._learnt, self._told = learnt, Reliability()
        self._all_told = True
        self.workers: dict[str, WorkerTotals] = {}
        self.failures = self.warnings = 0
        self.pixels = 0
        self.disputed = self.unlabelled = self.void = 0.0
        """Pixels, over all images."""
        self.confidence = 0.0

    def share(self, pixels: float) -> float:
        """Share of so many pixels among those of all images."""
        return pixels / self.pixels if self.pixels else 0.0

    @property
    def images(self) -> int:
        """Images with a result."""
        return len(self._rows)

    def add(self, record: Record, review_below: float = 0.0) -> None:
        """Count one object; its line is kept if its confidence is so low."""
        self.warnings += len(record.warnings)
        for worker, _, dropped in record.warnings:
            if dropped and not record.failed:
                self.worker(worker).dropped_answers += 1
        image = record.image
        if image is None:
            self.failures += 1
            return
        pixels = image.height * image.width
        self.pixels += pixels
        self.disputed += image.disputed * pixels
        self.unlabelled += image.unlabelled * pixels
        self.void += image.void * pixels
        self.confidence += image.confidence
        values = vars(image) | {
            "id": record.id,
            "warnings": len(record.warnings),
            "mask": record.files[0],
        }
        self._builtin |= not math.isnan(image.builtin_iou)
        row = csv_row([values[name] for name in (*IMAGE_COLUMNS, *BUILTIN_COLUMNS)])
        self._rows.append((-image.need, record.id, row))
        self._shortlist(record, image.need)
        if record.agreement is None:
            self._all_told = False
        else:
            self._told += Reliability.from_dict(record.agreement)
        # as the manifest has it: nobody has looked at a single worker's mask yet
        confidence = image.confidence if image.workers > 1 else 0.0
        if confidence < review_below:
            item = ReviewItem(record.id, confidence, image.need, record.line)
            self.to_review.append(item)
        for decided, voted, n in record.confusion:
            self.confusion[decided, voted] += n
        for index, (n, confidence) in record.classes.items():
            self._class_sums[:, int(index)] += n, n * confidence
        for part in record.workers:
            totals = self.worker(part.worker)
            totals.overlap += part.dense_overlap(self._n_classes)
            totals.images += 1
            totals.pixels += pixels
            totals.ignored_pixels += part.ignored
            totals.blank_answers += part.blank
            if part.seconds is not None:
                totals.seconds.append(part.seconds)

    def _shortlist(self, record: Record, need: float) -> None:
        before = self.shortlist.least
        self.shortlist.add(record.id, need)
        if need >= before:
            self.shortlisted[record.id] = record
            kept = set(self.shortlist.ids)
            self.shortlisted = {object_id: self.shortlisted[object_id] for object_id in kept}

    @property
    def class_confidence(self) -> NDArray[np.float64]:
        """(K,) mean confidence over the pixels given that class; NaN where none."""
        pixels, sums = self._class_sums
        return np.where(pixels > 0, sums / np.maximum(pixels, 1), np.nan)

    def worker(self, worker: str) -> WorkerTotals:
        """Totals of a worker, new ones if need be."""
        if worker not in self.workers:
            self.workers[worker] = WorkerTotals(np.zeros((3, self._n_classes), np.int64))
        return self.workers[worker]

    @property
    def reliability(self) -> Reliability | None:
        """How workers agree with each other; None unless it is known of the whole job."""
        if self._learnt is not None:
            return self._learnt
        return self._told if self._rows and self._all_told else None

    def images_csv(self) -> Iterable[bytes]:
        """Lines of the images, most in need of review first."""
        cut = 0 if self._builtin else len(BUILTIN_COLUMNS)
        columns = (*IMAGE_COLUMNS, *BUILTIN_COLUMNS)
        yield encoded(csv_row(columns[: len(columns) - cut]))
        self._rows.sort()
        for _, _, row in self._rows:
            # the last columns are empty where no image has them
            yield encoded(row[: len(row) - cut])

    def worker_rows(self) -> list[WorkerRow]:
        """Workers, lowest reliability first, or agreement where none is known."""
        reliability = self.reliability
        estimate = None if reliability is None else reliability.estimate()
        twins: dict[str, list[str]] = {}
        for first, second in () if reliability is None else reliability.twins():
            twins.setdefault(first, []).append(second)
            twins.setdefault(second, []).append(first)
        rows = [
            WorkerRow(
                worker,
                math.nan if estimate is None else estimate.quality.get(worker, math.nan),
                (math.nan, math.nan) if estimate is None else estimate.interval(worker),
                None if estimate is None else worker in estimate.junk,
                tuple(twins.get(worker, ())),
                () if estimate is None else estimate.companions(worker)[1:],
                "" if estimate is None else estimate.note(worker),
                totals,
            )
            for worker, totals in self.workers.items()
        ]

        def key(row: WorkerRow) -> tuple[bool, float, str]:
            value = row.totals.agreement if estimate is None else row.reliability
            return math.isnan(value), value, row.worker

        return sorted(rows, key=key)

    def findings(self) -> list[str]:
        """See `Estimate.findings`; nothing where no reliability is known."""
        return [] if self.reliability is None else self.reliability.estimate().findings()

    def workers_csv(self) -> bytes:
        """Table of `worker_rows`."""
        rows = []
        for row in self.worker_rows():
            totals = row.totals
            agreement = (
                row.worker,
                totals.images,
                totals.agreement,
                row.reliability,
                *row.interval,
            )
            junk = "" if row.junk is None else "yes" if row.junk else "no"
            flags = (junk, " ".join(row.twins), " ".join(row.companions), row.note)
            counts = (totals.blank_answers, totals.ignored, totals.dropped_answers)
            rows.append(
                (*agreement, *flags, *counts, totals.mean_seconds, *totals.class_iou.tolist())
            )
        return to_csv((*WORKER_COLUMNS, *(f"iou {name}" for name in self._classes)), rows)

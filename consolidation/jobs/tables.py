"""The tables of a run: images, lowest confidence first, and workers, least reliable first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import Reliability, mean_of_present, overlap_iou
from consolidation.jobs.records import Record

IMAGE_COLUMNS = (
    "id",
    "confidence",
    "workers",
    "height",
    "width",
    "disputed",
    "tied",
    "undecided",
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
    "junk",
    "blank_answers",
    "ignored",
    "dropped_answers",
    "mean_seconds",
)


@dataclass
class WorkerTotals:
    """What one worker did over a job; agreement is with the consensus, pooled over images."""

    overlap: NDArray[np.int64]
    """(3, K): see `Consensus.overlap`."""
    images: int = 0
    blank_answers: int = 0
    ignored: int = 0
    dropped_answers: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """Mean IoU with the consensus over classes in either; NaN without any."""
        return mean_of_present(overlap_iou(self.overlap))

    @property
    def mean_seconds(self) -> float:
        """Mean time an image; NaN where the source says none."""
        return math.fsum(self.seconds) / len(self.seconds) if self.seconds else math.nan


class Tables:
    """Rows gathered from records, of which little is kept: a job may have many."""

    def __init__(self, n_classes: int) -> None:
        self._n_classes = n_classes
        self._rows: list[tuple[float, str, str]] = []
        self._builtin = False
        self.workers: dict[str, WorkerTotals] = {}
        self.failures = self.warnings = 0
        self.pixels = 0
        self.disputed = 0.0
        self.confidence = 0.0

    @property
    def images(self) -> int:
        """Images with a result."""
        return len(self._rows)

    def add(self, record: Record) -> None:
        """Count one object."""
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
        self.confidence += image.confidence
        values = vars(image) | {
            "id": record.id,
            "warnings": len(record.warnings),
            "mask": record.files[0],
        }
        self._builtin |= not math.isnan(image.builtin_iou)
        row = _row([values[name] for name in (*IMAGE_COLUMNS, *BUILTIN_COLUMNS)])
        self._rows.append((image.confidence, record.id, row))
        for one in record.workers:
            totals = self.worker(one.worker)
            totals.overlap += one.dense_overlap(self._n_classes)
            totals.images += 1
            totals.ignored += one.ignored
            totals.blank_answers += one.blank
            if one.seconds is not None:
                totals.seconds.append(one.seconds)

    def worker(self, worker: str) -> WorkerTotals:
        """Totals of a worker, new ones if need be."""
        if worker not in self.workers:
            self.workers[worker] = WorkerTotals(np.zeros((3, self._n_classes), np.int64))
        return self.workers[worker]

    def images_csv(self) -> Iterable[bytes]:
        """Lines of the images, lowest confidence first."""
        cut = 0 if self._builtin else len(BUILTIN_COLUMNS)
        columns = (*IMAGE_COLUMNS, *BUILTIN_COLUMNS)
        yield _encoded(_row(columns[: len(columns) - cut]))
        self._rows.sort()
        for _, _, row in self._rows:
            # the last columns are empty where no image has them
            yield _encoded(row[: len(row) - cut])

    def workers_csv(self, reliability: Reliability | None) -> bytes:
        """Workers, lowest reliability first, or agreement where none was learnt."""
        estimate = None if reliability is None else reliability.estimate()
        rows: list[tuple[Any, ...]] = []
        for worker, totals in self.workers.items():
            quality = math.nan if estimate is None else estimate.quality.get(worker, math.nan)
            junk = "yes" if estimate is not None and worker in estimate.junk else "no"
            counts = (totals.blank_answers, totals.ignored, totals.dropped_answers)
            about = (worker, totals.images, totals.agreement, quality, junk)
            rows.append((*about, *counts, totals.mean_seconds))
        by = 2 if estimate is None else 3
        rows.sort(key=lambda row: (math.isnan(row[by]), row[by], row[0]))
        return to_csv(WORKER_COLUMNS, rows)


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as CSV in UTF-8: numbers to six digits, cells that start formulas disarmed."""
    return b"".join(_encoded(_row(row)) for row in (columns, *rows))


def _row(values: Sequence[Any]) -> str:
    return ",".join(map(_cell, values))


def _encoded(row: str) -> bytes:
    return f"{row}\n".encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    text = str(value)
    if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        # a spreadsheet would run it; ids come from strangers
        text = "'" + text
    # not csv.writer: it leaves a carriage return bare, and what follows would be a new row
    if any(char in text for char in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text

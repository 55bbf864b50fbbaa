"""The tables of a run: images, lowest confidence first, and workers, lowest agreement first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import Reliability, mean_of_present, overlap_iou
from consolidation.pipeline import ObjectResult

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
WORKER_COLUMNS = (
    "worker",
    "images",
    "agreement",
    "reliability",
    "junk",
    "blank_answers",
    "ignored",
    "dropped_answers",
)


@dataclass(frozen=True)
class ImageRow:
    """What the tables keep of one image: counts of pixels are shares of its pixels."""

    id: str
    confidence: float
    workers: int
    height: int
    width: int
    disputed: float
    tied: float
    undecided: float
    ignored: float
    mean_agreement: float
    warnings: int
    mask: str

    @classmethod
    def of(cls, result: ObjectResult, mask: str) -> ImageRow:
        """Row of a consolidated object."""
        consensus = result.consensus
        height, width = consensus.labels.shape
        counts = consensus.provenance["counts"]
        agreements = [worker.agreement for worker in consensus.workers]
        known = [value for value in agreements if not math.isnan(value)]
        pixels = counts["pixels"]
        return cls(
            id=result.id,
            confidence=consensus.image_confidence,
            workers=result.n_workers,
            height=height,
            width=width,
            disputed=counts["disputed"] / pixels,
            tied=counts["tied"] / pixels,
            undecided=counts["undecided"] / pixels,
            ignored=counts["ignored"] / pixels / result.n_workers,
            mean_agreement=sum(known) / len(known) if known else math.nan,
            warnings=len(result.warnings),
            mask=mask,
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

    @property
    def agreement(self) -> float:
        """Mean IoU with the consensus over classes in either; NaN without any."""
        return mean_of_present(overlap_iou(self.overlap))


@dataclass
class Tables:
    """Rows gathered during a run."""

    n_classes: int
    images: list[ImageRow] = field(default_factory=list)
    workers: dict[str, WorkerTotals] = field(default_factory=dict)

    def worker(self, worker: str) -> WorkerTotals:
        """Totals of a worker, new ones if need be."""
        if worker not in self.workers:
            self.workers[worker] = WorkerTotals(np.zeros((3, self.n_classes), np.int64))
        return self.workers[worker]

    def add(self, result: ObjectResult, mask: str) -> ImageRow:
        """Count one consolidated object."""
        row = ImageRow.of(result, mask)
        self.images.append(row)
        consensus = result.consensus
        for record, overlap in zip(consensus.workers, consensus.overlap, strict=True):
            totals = self.worker(record.worker)
            totals.overlap += overlap
            totals.images += 1
            totals.ignored += record.ignored
            totals.blank_answers += int(record.worker in result.blank)
        return row

    def images_csv(self) -> bytes:
        """Images, lowest confidence first."""
        rows = sorted(self.images, key=lambda row: (row.confidence, row.id))
        return to_csv(
            IMAGE_COLUMNS, ([getattr(row, name) for name in IMAGE_COLUMNS] for row in rows)
        )

    def workers_csv(self, reliability: Reliability | None) -> bytes:
        """Workers, lowest reliability first, or agreement where none was learnt."""
        estimate = None if reliability is None else reliability.estimate()
        rows = []
        for worker, totals in self.workers.items():
            quality = math.nan if estimate is None else estimate.quality.get(worker, math.nan)
            junk = "yes" if estimate is not None and worker in estimate.junk else "no"
            counts = (totals.blank_answers, totals.ignored, totals.dropped_answers)
            rows.append((worker, totals.images, totals.agreement, quality, junk, *counts))
        rows.sort(key=lambda row: (row[2] if estimate is None else row[3], row[0]))
        return to_csv(WORKER_COLUMNS, rows)


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as CSV in UTF-8: numbers to six digits, cells that start formulas disarmed."""
    lines = (",".join(map(_cell, row)) for row in (columns, *rows))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


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

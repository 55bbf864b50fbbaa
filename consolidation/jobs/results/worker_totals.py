"""What each worker did over a job."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import mean_of_present, overlap_iou


@dataclass
class WorkerTotals:
    """What one worker did over a job; agreement is with the consensus, pooled over images."""

    overlap: NDArray[np.int64]
    """(3, K): see `Consensus.overlap`."""
    images: int = 0
    blank_answers: int = 0
    pixels: int = 0
    ignored_pixels: int = 0
    dropped_answers: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def class_iou(self) -> NDArray[np.float64]:
        """(K,) IoU with the consensus; NaN for a class in neither."""
        return overlap_iou(self.overlap)

    @property
    def agreement(self) -> float:
        """Mean IoU with the consensus over classes in either; NaN without any."""
        return mean_of_present(self.class_iou)

    @property
    def ignored(self) -> float:
        """Share of pixels of which this worker's answers say nothing; NaN without any."""
        return self.ignored_pixels / self.pixels if self.pixels else math.nan

    @property
    def mean_seconds(self) -> float:
        """Mean time an image; NaN where the source says none."""
        return math.fsum(self.seconds) / len(self.seconds) if self.seconds else math.nan


class WorkerRow(NamedTuple):
    """What is known about a worker; NaN where reliability is not."""

    worker: str
    reliability: float
    interval: tuple[float, float]
    junk: bool | None
    """None where reliability is not known."""
    twins: tuple[str, ...]
    companions: tuple[str, ...]
    """Others who are not independent of this worker."""
    note: str
    """What is odd about this worker, and the evidence; empty for most."""
    totals: WorkerTotals

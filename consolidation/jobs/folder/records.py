"""What a run keeps of one object, as one line of JSON: all that its tables are made of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import mean_of_present, overlap_iou
from consolidation.formats.groundtruth import compact
from consolidation.objects.pipeline import ObjectResult
from consolidation.objects.prepare import LabeledObject


class BuiltinAgreement(NamedTuple):
    """Agreement with the built-in's mask; NaN where there is none."""

    iou: float = math.nan
    """Mean IoU over the classes in either."""
    same: float = math.nan
    """Share of pixels of the same class."""


@dataclass(frozen=True)
class ImageRecord:
    """An image; counts of pixels are shares of its pixels, NaN what is not known."""

    confidence: float
    workers: int
    height: int
    width: int
    disputed: float
    tied: float
    undecided: float
    ignored: float
    mean_agreement: float
    need: float
    """See `Consensus.need_of_review`."""
    unlabelled: float = 0.0
    """Nobody labelled them."""
    void: float = 0.0
    """Nobody labelled them, on purpose."""
    builtin_iou: float = math.nan
    """Mean IoU with Ground Truth's own mask over the classes in either."""
    builtin_same: float = math.nan
    """Share of pixels that have the same class there."""

    @classmethod
    def of(cls, result: ObjectResult, builtin: BuiltinAgreement) -> ImageRecord:
        """Record of a consolidated object."""
        consensus = result.consensus
        height, width = consensus.labels.shape
        counts = consensus.provenance["counts"]
        agreements = [worker.agreement for worker in consensus.workers]
        known = [value for value in agreements if not math.isnan(value)]
        pixels = counts["pixels"]
        return cls(
            confidence=consensus.image_confidence,
            workers=result.n_workers,
            height=height,
            width=width,
            disputed=counts["disputed"] / pixels,
            tied=counts["tied"] / pixels,
            undecided=counts["undecided"] / pixels,
            ignored=counts["ignored"] / pixels / result.n_workers,
            mean_agreement=sum(known) / len(known) if known else math.nan,
            need=consensus.need_of_review,
            unlabelled=counts["unlabelled"] / pixels,
            void=counts["void"] / pixels,
            builtin_iou=builtin.iou,
            builtin_same=builtin.same,
        )


@dataclass(frozen=True)
class WorkerRecord:
    """One worker's part in an object."""

    worker: str
    overlap: Mapping[str, list[int]]
    """By class index in decimal: pixels in both masks, in the worker's, in the consensus."""
    ignored: int
    blank: bool
    seconds: float | None

    @classmethod
    def all_of(cls, obj: LabeledObject, result: ObjectResult) -> list[WorkerRecord]:
        """Records of everybody whose answer counted."""
        consensus = result.consensus
        return [
            cls(
                worker=agreement.worker,
                overlap=_sparse(overlap),
                ignored=agreement.ignored,
                blank=agreement.worker in result.blank,
                seconds=obj.seconds.get(agreement.worker),
            )
            for agreement, overlap in zip(consensus.workers, consensus.overlap, strict=True)
        ]

    def agreement(self, n_classes: int) -> float:
        """Mean IoU with the consensus over the classes in either; NaN without any."""
        return mean_of_present(overlap_iou(self.dense_overlap(n_classes)))

    def dense_overlap(self, n_classes: int) -> NDArray[np.int64]:
        """(3, K) int64: see `Consensus.overlap`."""
        sums = np.zeros((3, n_classes), np.int64)
        for index, counts in self.overlap.items():
            sums[:, int(index)] = counts
        return sums


@dataclass(frozen=True)
class Record:
    """An object that is done, or that failed with a reason."""

    id: str
    line: str
    """Of the output manifest."""
    reason: str | None = None
    image: ImageRecord | None = None
    files: list[str] = field(default_factory=list)
    """Written for it, below the output folder; the mask first."""
    workers: list[WorkerRecord] = field(default_factory=list)
    warnings: list[tuple[str, str, bool]] = field(default_factory=list)
    """Worker, message, and whether the answer was dropped."""
    classes: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """By class index in decimal: pixels given that class, and their mean confidence."""
    confusion: list[tuple[int, int, int]] = field(default_factory=list)
    """Class of the consensus, class given, pixels: over all workers."""
    regions: list[dict[str, Any]] = field(default_factory=list)
    """See `Region.as_dict`."""
    agreement: Mapping[str, Any] | None = None
    """See `Reliability.as_dict`; None where it is not known, or known of the whole job."""

    @property
    def failed(self) -> bool:
        """Whether there is no result."""
        return self.image is None

    def to_json(self) -> str:
        """One line of JSON."""
        content: dict[str, Any] = {
            field_of.name: getattr(self, field_of.name) for field_of in fields(self)
        }
        content["image"] = None if self.image is None else _no_nan(vars(self.image))
        content["workers"] = [vars(worker) for worker in self.workers]
        return compact(content)

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """Inverse of `to_json`; ValueError if it is something else, such as half a line."""
        content = json.loads(text)
        try:
            image = content["image"]
            content["image"] = None if image is None else ImageRecord(**_nan(image))
            content["workers"] = [WorkerRecord(**worker) for worker in content["workers"]]
            content["warnings"] = [tuple(warning) for warning in content["warnings"]]
            return cls(**content)
        except (TypeError, KeyError) as error:
            raise ValueError(f"no record of an object: {error}") from None


def _sparse(overlap: NDArray[np.int64]) -> dict[str, list[int]]:
    present = np.flatnonzero(overlap.any(axis=0)).tolist()
    return {str(index): overlap[:, index].tolist() for index in present}


def _no_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in row.items()
    }


def _nan(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in row.items()}

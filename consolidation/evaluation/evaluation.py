"""What an evaluation found: numbers to compute with, a dict to store, a table to read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from consolidation.evaluation.calibration import ConfidenceCounts

# Images listed in the table: enough to start looking, few enough to read.
_WORST = 5


@dataclass(frozen=True)
class ImageScore:
    """Scores of one image, each in [0, 1] or NaN where nothing could be scored.

    Attributes
    ----------
    image_id : str
    mean_iou, mean_boundary_f1 : float
        Means over the classes in either mask.
    pixel_accuracy : float
        Share of scored pixels that got their true class.
    undecided : float
        Share of scored pixels that got no class.
    """

    image_id: str
    mean_iou: float
    mean_boundary_f1: float
    pixel_accuracy: float
    undecided: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of a job against the truth.

    Attributes
    ----------
    images : tuple of ImageScore
        One row for each image scored.
    only_predicted, only_truth : tuple of str
        Ids that lie on one side only; they are not scored.
    mean_iou, mean_boundary_f1 : float
        Means over images of the images' means.
    pixel_accuracy, undecided : float
        Shares of all scored pixels together.
    unknown : float
        Share of all pixels whose truth nobody knows; they are not scored.
    class_names : tuple of str, length K
    class_iou : ndarray of float64, shape (K,)
        From the pixels of all images together; NaN for a class in no mask.
    class_boundary_f1 : ndarray of float64, shape (K,)
        Mean over the images with the class in either mask; NaN where there is none.
    tolerance : float
        Distance in pixels within which borders agree.
    confidence : ConfidenceCounts or None
        Pixels by confidence, and how many are right; None without confidence maps.
    folder : str
        Folder of the run that was scored, or the one above the masks; empty if there is none.
    notes : tuple of str
        How the masks were read, where that could have been otherwise.

    Examples
    --------
    >>> row = ImageScore("0", 0.75, 1.0, 0.875, 0.0)
    >>> result = Evaluation(
    ...     images=(row,), only_predicted=(), only_truth=("1",), mean_iou=0.75,
    ...     mean_boundary_f1=1.0, pixel_accuracy=0.875, undecided=0.0,
    ...     class_names=("BACKGROUND", "road"), class_iou=np.array([0.75, np.nan]),
    ...     class_boundary_f1=np.array([1.0, np.nan]), tolerance=2)
    >>> result.as_dict()["classes"][1]
    {'index': 1, 'name': 'road', 'iou': None, 'boundary_f1': None}
    >>> print(result.table())  # doctest: +ELLIPSIS
    1 image scored against the truth
    1 image has no prediction and is not scored: 1
    <BLANKLINE>
      mean IoU          0.750   overlap with the truth, mean over images; 1 is perfect
    ...
    """

    images: tuple[ImageScore, ...]
    only_predicted: tuple[str, ...]
    only_truth: tuple[str, ...]
    mean_iou: float
    mean_boundary_f1: float
    pixel_accuracy: float
    undecided: float
    class_names: tuple[str, ...]
    class_iou: npt.NDArray[np.float64]
    class_boundary_f1: npt.NDArray[np.float64]
    tolerance: float
    confidence: ConfidenceCounts | None = None
    folder: str = ""
    unknown: float = 0.0
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON-ready values; what has no score is None, never NaN."""
        return {
            "images_scored": len(self.images),
            "only_predicted": list(self.only_predicted),
            "only_truth": list(self.only_truth),
            "mean_iou": _or_none(self.mean_iou),
            "mean_boundary_f1": _or_none(self.mean_boundary_f1),
            "boundary_tolerance": self.tolerance,
            "pixel_accuracy": _or_none(self.pixel_accuracy),
            "undecided": _or_none(self.undecided),
            "unknown": _or_none(self.unknown),
            "notes": list(self.notes),
            "calibration_error": self._calibration_errors(),
            "classes": [
                {
                    "index": index,
                    "name": name,
                    "iou": _or_none(self.class_iou[index]),
                    "boundary_f1": _or_none(self.class_boundary_f1[index]),
                }
                for index, name in enumerate(self.class_names)
            ],
            "images": [
                {
                    "id": row.image_id,
                    "mean_iou": _or_none(row.mean_iou),
                    "mean_boundary_f1": _or_none(row.mean_boundary_f1),
                    "pixel_accuracy": _or_none(row.pixel_accuracy),
                    "undecided": _or_none(row.undecided),
                }
                for row in self.images
            ],
        }

    def table(self) -> str:
        """Lay the scores out as plain text that explains itself, without a newline at the end."""
        lines = [f"{_images(len(self.images))} scored against the truth"]
        lines += _unmatched(self.only_truth, "no prediction")
        lines += _unmatched(self.only_predicted, "no truth")
        lines += [f"note: {note}" for note in self.notes]
        border = f"borders within {self.tolerance:g} pixels of the true ones; 1 is perfect"
        overlap = "overlap with the truth, mean over images; 1 is perfect"
        lines += [
            "",
            _line("mean IoU", self.mean_iou, overlap),
            _line("boundary F1", self.mean_boundary_f1, border),
            _line("pixel accuracy", self.pixel_accuracy, "share of pixels with the right class"),
        ]
        if self.undecided > 0:
            meaning = "share of pixels without a class; they count as wrong"
            lines.append(_line("undecided", self.undecided, meaning))
        if self.unknown > 0:
            meaning = "share of pixels whose truth is 255, unknown; they are not scored"
            lines.append(_line("left out", self.unknown, meaning))
        if self.confidence is not None:
            lines += _calibration_lines(self.confidence)
        return "\n".join([*lines, *self._class_lines(), *self._worst_lines()])

    def _calibration_errors(self) -> dict[str, float | None] | None:
        if self.confidence is None:
            return None
        return {
            "disputed_pixels": _or_none(self.confidence.disputed.error),
            "all_pixels": _or_none(self.confidence.error),
        }

    def _class_lines(self) -> list[str]:
        width = max([len("class"), *map(len, self.class_names)])
        lines = ["", f"  {'class':<{width}}    IoU  boundary F1"]
        scores = zip(self.class_names, self.class_iou, self.class_boundary_f1, strict=True)
        for name, iou, border in scores:
            lines.append(f"  {name:<{width}}  {_number(iou)}        {_number(border)}")
        if np.isnan(self.class_iou).any():
            lines.append("  - : the class is in no mask")
        return lines

    def _worst_lines(self) -> list[str]:
        scored = [row for row in self.images if not math.isnan(row.mean_iou)]
        if len(scored) < 2:
            return []
        worst = sorted(scored, key=lambda row: (row.mean_iou, row.image_id))[:_WORST]
        return ["", "  lowest mean IoU", *(f"  {_number(r.mean_iou)}  {r.image_id}" for r in worst)]


def _calibration_lines(confidence: ConfidenceCounts) -> list[str]:
    disputed, meaning = confidence.disputed.error, "no pixel was disputed"
    if not math.isnan(disputed):
        meaning = "disputed pixels: confidence against the share that is right; 0 is perfect"
    lines = [
        _line("calibration error", disputed, meaning),
        _line("", confidence.error, "the same over all pixels"),
    ]
    if confidence.calibrated:
        top = confidence.unanimous / 255
        note = f"the run was calibrated: pixels of its highest confidence, {top:.3f}, count as"
        lines.append(f"  {note} unanimous")
    return lines


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _unmatched(ids: tuple[str, ...], lack: str) -> list[str]:
    if not ids:
        return []
    verb, copula = ("has", "is") if len(ids) == 1 else ("have", "are")
    shown = ", ".join(ids[:_WORST]) + (", ..." if len(ids) > _WORST else "")
    return [f"{_images(len(ids))} {verb} {lack} and {copula} not scored: {shown}"]


def _line(name: str, value: float, meaning: str) -> str:
    return f"  {name:<18}{_number(value)}   {meaning}"


def _number(value: float) -> str:
    return "    -" if math.isnan(value) else f"{value:5.3f}"


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)

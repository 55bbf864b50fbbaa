"""Score the masks of a whole job against their truth, image by image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from consolidation.errors import SourceError
from consolidation.evaluation.boundary import boundary_f1
from consolidation.evaluation.calibration import ConfidenceCounts
from consolidation.evaluation.evaluation import Evaluation, ImageScore
from consolidation.evaluation.scores import class_iou, confusion_matrix
from consolidation.masks import UNDECIDED_INDEX

NO_CLASS = UNDECIDED_INDEX
"""What says in a truth that nobody knows, and in a prediction that it did not decide."""

Pair = tuple[str, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def evaluate_masks(
    pairs: Iterable[Pair],
    *,
    class_names: Mapping[int, str] | None = None,
    tolerance: float = 2,
    only_predicted: Iterable[str] = (),
    only_truth: Iterable[str] = (),
    confidence: Callable[[str], npt.NDArray[np.uint8] | None] = lambda _: None,
    calibrated: bool = False,
    folder: str = "",
    notes: Iterable[str] = (),
) -> Evaluation:
    """Score masks that are already in memory, one image at a time.

    Parameters
    ----------
    pairs : iterable of (str, ndarray, ndarray)
        Image id, predicted mask and true mask, both uint8 of shape (H, Wd). Index 255 means
        undecided in a prediction (wrong everywhere) and unknown in the truth (not scored).
    class_names : mapping of int to str, optional
        Names of classes; a class without one is named by its index.
    tolerance : float, default 2
        Distance in pixels for the boundary F1.
    only_predicted, only_truth : iterable of str, optional
        Ids that could not be matched, for the record.
    confidence : callable, optional
        Gives the confidence map of an image id, uint8 of shape (H, Wd), value = round(255 c), or
        None where there is none.
    calibrated : bool, optional
        Whether a calibration made the confidence maps what they are; see `ConfidenceCounts`.
    folder : str, optional
        Where the run lies, for the record.
    notes : iterable of str, optional
        How the masks were read, for the record.

    Returns
    -------
    Evaluation

    Raises
    ------
    SourceError
        If the two masks of an image, or its confidence map, differ in size, `pairs` is empty, no
        pixel's truth is known, or both sides have classes and none but 0 in common.
    """
    pooled = np.zeros((NO_CLASS + 1, NO_CLASS + 1), dtype=np.int64)
    border_sum, border_count = np.zeros(NO_CLASS), np.zeros(NO_CLASS, dtype=np.int64)
    rows: list[ImageScore] = []
    counts = ConfidenceCounts(calibrated=calibrated)
    unknown = 0
    for image_id, predicted, truth in pairs:
        if predicted.shape != truth.shape:
            raise SourceError(
                f"image {image_id!r}: the predicted mask has size {_size(predicted)}, "
                f"the truth has size {_size(truth)}"
            )
        confusion = known_confusion(predicted, truth)
        pooled += confusion
        unknown += int(np.count_nonzero(truth == NO_CLASS))
        # Outside the known truth the prediction has no borders either.
        known = np.where(truth == NO_CLASS, truth, predicted)
        borders = boundary_f1(known, truth, tolerance, n_classes=NO_CLASS)
        there = ~np.isnan(borders)
        border_sum[there] += borders[there]
        border_count += there
        rows.append(_image_score(image_id, confusion, borders))
        values = confidence(image_id)
        if values is not None:
            _count_confidence(counts, image_id, values, predicted, truth)
    if not rows:
        raise SourceError("there is no image to score")

    names = {index: name for index, name in (class_names or {}).items() if index < NO_CLASS}
    known_pixels = int(pooled.sum())
    if not known_pixels:
        raise SourceError(
            f"nothing is left to compare: all {unknown:,} pixels of the truth are unknown (255)"
        )
    refuse_nothing_in_common(pooled, names)
    present = np.flatnonzero(pooled.sum(axis=0) + pooled.sum(axis=1))
    n_classes = 1 + max([*names, *present[present < NO_CLASS].tolist()], default=-1)
    border_mean = np.full(NO_CLASS, np.nan)
    np.divide(border_sum, border_count, out=border_mean, where=border_count > 0)
    accuracy, undecided = _shares(pooled)
    return Evaluation(
        images=tuple(rows),
        only_predicted=tuple(only_predicted),
        only_truth=tuple(only_truth),
        mean_iou=_mean([row.mean_iou for row in rows]),
        mean_boundary_f1=_mean([row.mean_boundary_f1 for row in rows]),
        pixel_accuracy=accuracy,
        undecided=undecided,
        unknown=unknown / (unknown + known_pixels),
        notes=tuple(notes),
        class_names=tuple(names.get(index, str(index)) for index in range(n_classes)),
        class_iou=class_iou(pooled)[:n_classes],
        class_boundary_f1=border_mean[:n_classes],
        tolerance=tolerance,
        confidence=counts if counts.pixels.any() else None,
        folder=folder,
    )


def refuse_nothing_in_common(
    confusion: npt.NDArray[np.int64], names: Mapping[int, str] | None = None
) -> None:
    """Raise SourceError if truth (rows) and prediction have classes, and only class 0 in common.

    A prediction of class 0 alone is scored, low.
    """
    truth = np.flatnonzero(confusion[1:NO_CLASS, :].sum(axis=1)) + 1
    predicted = np.flatnonzero(confusion[:, 1:NO_CLASS].sum(axis=0)) + 1
    if truth.size and predicted.size and not np.intersect1d(truth, predicted).size:
        sides = [
            ", ".join(f"{index} {(names or {}).get(index, '')}".rstrip() for index in side[:5])
            for side in (predicted.tolist(), truth.tolist())
        ]
        raise SourceError(
            f"prediction and truth have no class in common: the prediction has {sides[0]}, the "
            f"truth {sides[1]}; class lists of both sides match classes by name, --values says "
            "what values mean"
        )


def _count_confidence(
    counts: ConfidenceCounts,
    image_id: str,
    values: npt.NDArray[np.uint8],
    predicted: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.uint8],
) -> None:
    """Count the pixels that have a class and whose truth is known."""
    if values.shape != truth.shape:
        raise SourceError(
            f"image {image_id!r}: the confidence map has size {_size(values)}, "
            f"the truth has size {_size(truth)}"
        )
    scored = (predicted != NO_CLASS) & (truth != NO_CLASS)
    counts.add(values[scored], (predicted == truth)[scored])


def known_confusion(
    predicted: npt.NDArray[np.uint8], truth: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Count the known pixels; column 255 holds the undecided ones, row 255 stays empty."""
    confusion = confusion_matrix(predicted, truth, NO_CLASS + 1)
    confusion[NO_CLASS, :] = 0
    return confusion


def _image_score(
    image_id: str, confusion: npt.NDArray[np.int64], borders: npt.NDArray[np.float64]
) -> ImageScore:
    accuracy, undecided = _shares(confusion)
    return ImageScore(
        image_id=image_id,
        mean_iou=_mean(class_iou(confusion)[:NO_CLASS].tolist()),
        mean_boundary_f1=_mean(borders.tolist()),
        pixel_accuracy=accuracy,
        undecided=undecided,
    )


def _shares(confusion: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Shares of all scored pixels that are right and that are undecided."""
    total = int(confusion.sum()) or math.nan
    return int(np.trace(confusion)) / total, int(confusion[:, NO_CLASS].sum()) / total


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _size(mask: npt.NDArray[np.uint8]) -> str:
    return " x ".join(str(length) for length in mask.shape)

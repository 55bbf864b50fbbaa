"""Score a whole job: a folder of predicted masks against a folder of true ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.evaluation.boundary import boundary_f1
from consolidation.evaluation.calibration import ConfidenceCounts
from consolidation.evaluation.class_names import NO_CLASS, class_table, read_class_names
from consolidation.evaluation.evaluation import Evaluation, ImageScore
from consolidation.evaluation.folders import (
    MaskFolder,
    Reading,
    find_masks,
    match_masks,
    read_mask,
)
from consolidation.evaluation.scores import class_iou, confusion_matrix

Pair = tuple[str, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def evaluate_folders(
    predicted: str | Path, truth: str | Path, *, tolerance: float = 2
) -> Evaluation:
    """Score the masks of one folder against the truth in another.

    Parameters
    ----------
    predicted, truth : path or ``s3://`` URI
        Folders in any form that `find_masks` takes. Images are matched by id. Class names come
        from a run's `provenance.json`, else from a `classes.json` in (or right above) the folder;
        where both sides tell names, classes are matched by name, else by index. Confidence maps
        that a run wrote beside the predicted masks are held against the truth too.
    tolerance : float, default 2
        Distance in pixels for the boundary F1.

    Returns
    -------
    Evaluation

    Raises
    ------
    SourceError
        If a folder or mask cannot be read, both are the same masks, no id is in both folders, the
        two masks of an image differ in size, or a class is named on one side only.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, pixels in (("masks", [[0, 1, 1, 1]]), ("truth", [[0, 0, 1, 1]])):
    ...         (Path(folder) / name).mkdir()
    ...         image = Image.fromarray(np.array(pixels, dtype=np.uint8))
    ...         image.save(Path(folder) / name / "0.png")
    ...     result = evaluate_folders(Path(folder) / "masks", Path(folder) / "truth")
    >>> round(result.mean_iou, 3), result.pixel_accuracy
    (0.583, 0.75)
    """
    ours, theirs = find_masks(predicted), find_masks(truth)
    predicted_masks, true_masks = match_masks(ours, theirs)
    shared = [name for name in _by_id(true_masks) if name in predicted_masks]
    if not shared:
        raise SourceError(
            f"{predicted} and {truth} have no image in common: "
            f"{_some(predicted_masks)} against {_some(true_masks)}"
        )
    if storage.same(ours.path(predicted_masks[shared[0]]), theirs.path(true_masks[shared[0]])):
        # A job's folder may hold both kinds of masks: a perfect score would be a silent mistake.
        raise SourceError(f"{predicted} and {truth} lead to the same masks")
    names, true_names = read_class_names(ours), read_class_names(theirs)
    table = class_table(names, true_names, (str(predicted), str(truth)))
    of_ids = {true_masks[name].id: predicted_masks[name] for name in shared}

    def pairs() -> Iterator[Pair]:
        for name in shared:
            mask = read_mask(ours.path(predicted_masks[name]))
            yield true_masks[name].id, table[mask], read_mask(theirs.path(true_masks[name]))

    def confidence_map(image_id: str) -> npt.NDArray[np.uint8] | None:
        path = ours.confidence(of_ids[image_id])
        return None if path is None else read_mask(path)

    return evaluate_masks(
        pairs(),
        class_names=true_names or names,
        tolerance=tolerance,
        only_predicted=_only(predicted_masks, true_masks),
        only_truth=_only(true_masks, predicted_masks),
        confidence=confidence_map,
        calibrated=_calibrated(ours),
        folder=ours.above,
    )


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

    Returns
    -------
    Evaluation

    Raises
    ------
    SourceError
        If the two masks of an image, or its confidence map, differ in size, or `pairs` is empty.
    """
    pooled = np.zeros((NO_CLASS + 1, NO_CLASS + 1), dtype=np.int64)
    border_sum, border_count = np.zeros(NO_CLASS), np.zeros(NO_CLASS, dtype=np.int64)
    rows: list[ImageScore] = []
    counts = ConfidenceCounts(calibrated=calibrated)
    for image_id, predicted, truth in pairs:
        if predicted.shape != truth.shape:
            raise SourceError(
                f"image {image_id!r}: the predicted mask has size {_size(predicted)}, "
                f"the truth has size {_size(truth)}"
            )
        confusion = _confusion(predicted, truth)
        pooled += confusion
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
        class_names=tuple(names.get(index, str(index)) for index in range(n_classes)),
        class_iou=class_iou(pooled)[:n_classes],
        class_boundary_f1=border_mean[:n_classes],
        tolerance=tolerance,
        confidence=counts if counts.pixels.any() else None,
        folder=folder,
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


def _confusion(
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


def _by_id(masks: Reading) -> list[str]:
    return sorted(masks, key=lambda name: masks[name].id)


def _only(masks: Reading, others: Reading) -> list[str]:
    return [masks[name].id for name in _by_id(masks) if name not in others]


def _some(masks: Reading) -> str:
    ids = [repr(masks[name].id) for name in _by_id(masks)[:3]]
    return ", ".join(ids) + (", ..." if len(masks) > 3 else "")


def _calibrated(run: MaskFolder) -> bool:
    return run.provenance is not None and bool(run.provenance["options"].get("calibration"))

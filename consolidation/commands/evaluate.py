"""`consolidate evaluate`: a folder of predicted masks against a folder of true ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.evaluation import Evaluation, evaluate_masks
from consolidation.evaluation.evaluate import Pair
from consolidation.formats.class_names import class_table
from consolidation.formats.mask_pattern import common_start
from consolidation.formats.source_truth import SourceTruth, find_truth
from consolidation.formats.truth_reader import binary_truth, read_mask, reader_of
from consolidation.formats.truths import MaskFolder, Reading, find_masks, match_masks
from consolidation.formats.values import ValueReading


def evaluate_folders(
    predicted: str | Path,
    truth: str | Path,
    *,
    tolerance: float = 2,
    reading: ValueReading | None = None,
) -> Evaluation:
    """Score the masks of one folder against the truth in another.

    Parameters
    ----------
    predicted, truth : path or ``s3://`` URI
        Folders in any form that `find_masks` takes; a truth may also be what a tool wrote, as
        `find_truth` takes it. Images are matched by id. Class names come from a run's
        `provenance.json`, else from a class list in (or right above) the folder;
        where both sides tell names, classes are matched by name, else by index. Confidence maps
        that a run wrote beside the predicted masks are held against the truth too.
    tolerance : float, default 2
        Distance in pixels for the boundary F1.
    reading : ValueReading, optional
        What the values of both sides mean, but those of a run's masks, which are indices.

    Returns
    -------
    Evaluation

    Raises
    ------
    SourceError
        If a folder or mask cannot be read, both are the same masks, no id is in both folders, the
        two masks of an image differ in size, a class is named on one side only, or nothing is left
        to compare.

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
    truth_source = (
        find_truth(truth) if storage.is_s3(truth) or storage.local(truth).exists() else None
    )
    if truth_source is not None:
        return _against_source(
            find_masks(predicted), truth_source, str(predicted), tolerance, reading
        )
    ours, theirs = find_masks(predicted), find_masks(truth)
    predicted_masks, true_masks = match_masks(ours, theirs)
    shared = [name for name in _by_id(true_masks) if name in predicted_masks]
    if not shared:
        raise SourceError(
            f"{predicted} and {truth} have no image in common: "
            f"{_some(predicted_masks)} against {_some(true_masks)}"
            f"{_renaming(predicted_masks, true_masks)}"
        )
    if storage.same(ours.path(predicted_masks[shared[0]]), theirs.path(true_masks[shared[0]])):
        # A job's folder may hold both kinds of masks: a perfect score would be a silent mistake.
        raise SourceError(f"{predicted} and {truth} lead to the same masks")
    predicted_paths = [ours.path(predicted_masks[name]) for name in shared]
    true_paths = [theirs.path(true_masks[name]) for name in shared]
    # a run names its classes, which then may name the values of the other side
    reader = reader_of(ours, predicted_paths, reading)
    true_reader = reader_of(theirs, true_paths, reading, reader.names)
    names, true_names = reader.names, true_reader.names
    table = class_table(names, true_names, (str(predicted), str(truth)))
    of_ids = {true_masks[name].id: predicted_masks[name] for name in shared}

    seen, true_seen = np.zeros(256, bool), np.zeros(256, bool)

    def pairs() -> Iterator[Pair]:
        for name, path, true_path in zip(shared, predicted_paths, true_paths, strict=True):
            mask, true = table[reader.read(path)], true_reader.read(true_path)
            seen[mask], true_seen[true] = True, True
            yield true_masks[name].id, mask, true

    def confidence_map(image_id: str) -> npt.NDArray[np.uint8] | None:
        path = ours.confidence(of_ids[image_id])
        return None if path is None else read_mask(path)

    evaluation = evaluate_masks(
        pairs(),
        class_names=true_names or names,
        tolerance=tolerance,
        only_predicted=_only(predicted_masks, true_masks),
        only_truth=_only(true_masks, predicted_masks),
        confidence=confidence_map,
        calibrated=_calibrated(ours),
        folder=ours.above,
        notes=(*reader.notes, *true_reader.notes),
    )
    doubt = binary_truth(np.flatnonzero(seen).tolist(), np.flatnonzero(true_seen).tolist())
    if doubt is None or (names and true_names):
        return evaluation
    return replace(evaluation, notes=(*evaluation.notes, doubt))


def _against_source(
    ours: MaskFolder,
    truth: SourceTruth,
    predicted: str,
    tolerance: float,
    reading: ValueReading | None,
) -> Evaluation:
    """Score masks against the truth in what a tool wrote."""
    paths = ours.of(truth.items)
    if not paths:
        raise SourceError(f"{predicted} and {truth.uri} have no image in common")
    true_names = dict(enumerate(truth.classes.names))
    reader = reader_of(ours, list(paths.values()), reading, true_names)
    table = class_table(reader.names, true_names, (predicted, truth.uri))
    by_path = {ours.path(mask): mask for reading in ours.readings() for mask in reading.values()}

    def confidence_map(image_id: str) -> npt.NDArray[np.uint8] | None:
        path = ours.confidence(by_path[paths[image_id]])
        return None if path is None else read_mask(path)

    return evaluate_masks(
        (
            (name, table[reader.read(path)], truth.read(name))
            for name, path in sorted(paths.items())
        ),
        class_names=true_names,
        tolerance=tolerance,
        only_predicted=sorted(by_path[path].id for path in by_path.keys() - set(paths.values())),
        only_truth=sorted(truth.items.keys() - paths.keys()),
        confidence=confidence_map,
        calibrated=_calibrated(ours),
        folder=ours.above,
        notes=reader.notes,
    )


def _by_id(masks: Reading) -> list[str]:
    return sorted(masks, key=lambda name: masks[name].id)


def _only(masks: Reading, others: Reading) -> list[str]:
    return [masks[name].id for name in _by_id(masks) if name not in others]


def _some(masks: Reading) -> str:
    ids = [repr(masks[name].id) for name in _by_id(masks)[:3]]
    return ", ".join(ids) + (", ..." if len(masks) > 3 else "")


def _renaming(predicted: Reading, truth: Reading) -> str:
    """Say how to rename truths called by ids with one text before or behind; else empty."""
    begin = common_start(list(truth))
    end = common_start([name[::-1] for name in truth])[::-1]
    cuts = [(0, len(end) - at) for at in range(len(end))]
    cuts += [(at + 1, 0) for at in range(len(begin))]
    for before, behind in cuts:
        if all(name[before : len(name) - behind] in predicted for name in truth):
            name = min(truth)
            stem = name[before : len(name) - behind]
            return f": rename {name}.png to {stem}.png, and the others likewise"
    return ""


def _calibrated(run: MaskFolder) -> bool:
    return run.provenance is not None and bool(run.provenance["options"].get("calibration"))

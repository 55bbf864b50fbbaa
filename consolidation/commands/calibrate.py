"""`consolidate calibrate`: a calibration from gold images, whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.commands.foreground import Threshold, choose_foreground
from consolidation.consensus import Calibration, Consensus, method_spec
from consolidation.consensus.calibration import count_bins
from consolidation.errors import ConsolidationError, SourceError
from consolidation.evaluation import ConfidenceCounts, expected_calibration_error
from consolidation.evaluation.evaluate import NO_CLASS, known_confusion, refuse_nothing_in_common
from consolidation.evaluation.scores import mean_iou
from consolidation.formats import SourceObject, SourceOptions, job_classes, open_source
from consolidation.formats.class_names import class_table
from consolidation.formats.source_truth import find_truth, own_truth
from consolidation.formats.truth_reader import binary_truth, reader_of
from consolidation.formats.truths import find_masks
from consolidation.formats.values import ValueReading
from consolidation.jobs.runner import Progress
from consolidation.jobs.work.learning import learn_all
from consolidation.jobs.work.objects import Job
from consolidation.masks import UNDECIDED_INDEX
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import MaskBuffer
from consolidation.options import Options
from consolidation.text import percent


@dataclass(frozen=True)
class GoldImage:
    """What one image with a truth tells: counts by bin, and by value of confidence."""

    bins: NDArray[np.float64]
    disputed: ConfidenceCounts
    all: ConfidenceCounts


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and what it is worth on images that it was not learnt from.

    Attributes
    ----------
    calibration : Calibration
    errors : dict of str to (float, float)
        Expected calibration error of ``"disputed"`` and of ``"all"`` pixels, before and after;
        after: each image by a map learnt from the others. NaN without such pixels.
    skipped : tuple of str
        Objects with a truth that could not be consolidated, and why.
    unknown : float
        Share of the pixels whose truth nobody knows: nothing is learnt from them.
    notes : tuple of str
        How masks and truths were read, where that could have been otherwise.
    gain : (float, float) or None
        By how much the foreground threshold of the other images raises an image's mean IoU, on
        the average, and its standard error; None with fewer than `MIN_GOLD` images.
    """

    calibration: Calibration
    errors: dict[str, tuple[float, float]]
    skipped: tuple[str, ...] = ()
    unknown: float = 0.0
    notes: tuple[str, ...] = ()
    gain: tuple[float, float] | None = None

    def table(self) -> str:
        """Lay it out as plain text."""
        count = self.calibration.images
        lines = [f"calibration learnt from {count} gold image{'s' if count > 1 else ''}"]
        lines += [f"  skipped: {reason}" for reason in self.skipped]
        lines += [f"  note: {note}" for note in self.notes]
        if self.unknown:
            share = percent(self.unknown, 1)
            lines.append(f"  left out: {share} of the pixels, whose truth is unknown (255)")
        for name, (before, after) in self.errors.items():
            change = "none was there" if math.isnan(before) else f"{before:.3f} -> {after:.3f}"
            lines.append(f"  calibration error, {name + ' pixels':<16} {change}")
        if self.calibration.foreground is not None and self.gain is not None:
            lines.append(
                f"  foreground from {self.calibration.foreground:.0%} of the vote: mean IoU "
                f"{self.gain[0]:+.4f} (standard error {self.gain[1]:.4f})"
            )
        if math.isnan(self.errors["disputed"][0]):
            lines.append("  no pixel was disputed: there is hardly anything to learn from")
        lines.append("  after: each image by what the others tell; 0 is perfect")
        return "\n".join(lines)


def calibrate(
    source: str | Path,
    truth: str | Path | None = None,
    options: Options | None = None,
    *,
    labels: str | Path | None = None,
    source_options: SourceOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Calibrated:
    """Learn a calibration from the objects of a source whose truth is known.

    Parameters
    ----------
    source : path or ``s3://`` URI
        As for `run_job`. Reliability and the choice of ``auto`` are learnt from all of it.
    truth : path or ``s3://`` URI
        Folder of true masks, as for `evaluate_folders`: ``<id>.png`` or ``<id>/truth.png``, pixel
        = class index, 255 where nobody knows. Classes are matched by name if a `classes.json` in
        or right above the folder names them. Or what a tool wrote: annotations marked as the truth,
        or an export by one annotator. None: annotations of the source that are marked so.
    options : Options, optional
        Those of the runs that will use the calibration.
    labels : path or URI, optional
        Label-categories file; without it the source tells its classes.
    source_options : SourceOptions, optional
    on_progress : callable, optional
        Called after each gold image.

    Raises
    ------
    SourceError
        If source or truth cannot be read, they have no image or no class in common, a class is
        named on one side only, or no pixel's truth is known.
    """
    options = options or Options()
    how = replace(source_options or SourceOptions(), labels=labels).within(options)
    opened = open_source(source, how)
    job = Job("", job_classes(opened, labels), options, "")
    names = dict(enumerate(job.classes.names))
    truths = (
        own_truth(opened, str(source), job.classes, options)
        if truth is None
        else find_truth(truth, options)
    )
    truth_notes: tuple[str, ...] = ()
    true_masks: Mapping[str, Any]
    true_names: Mapping[int, str]
    if truth is None or truths is not None:
        assert truths is not None
        true_names = dict(enumerate(truths.classes.names))
        true_masks, read = truths.items, truths.read
    else:
        folder = find_masks(truth)
        true_masks = paths = folder.of(opened.ids)
        reader = reader_of(folder, list(paths.values()), ValueReading.of(options), names)
        true_names, truth_notes = reader.names, reader.notes

        def read(image_id: str) -> NDArray[np.uint8]:
            return reader.read(paths[image_id])

    table = class_table(names, true_names, (str(source), str(truth)))
    gold: list[GoldImage] = []
    skipped: list[str] = []
    progress = Progress(total=len(true_masks))
    learnt = learn_all(job, opened.items).decides if true_masks else None
    buffer = MaskBuffer()
    confusion, pixels = np.zeros((NO_CLASS + 1, NO_CLASS + 1), np.int64), 0
    with_truth = [item for item in opened.items if item.id in true_masks]

    def consensus_of(item: SourceObject, calibration: Calibration | None) -> Consensus:
        arguments = (job.classes, options, learnt, buffer, calibration)
        return consolidate_object(item.load(), *arguments).consensus

    def score(item: SourceObject, calibration: Calibration | None) -> float:
        """Mean IoU; NaN if the object cannot be consolidated."""
        true = read(item.id)
        try:
            result = consensus_of(item, calibration)
        except ConsolidationError:
            return math.nan
        labels = table[result.labels]
        asked = ~result.undecided & (true != UNDECIDED_INDEX)
        return mean_iou(labels[asked], true[asked]) if labels.shape == true.shape else math.nan

    smooths = method_spec(options.method).smooths
    choice = choose_foreground(with_truth, score) if smooths else Threshold()
    threshold = None
    if choice.foreground is not None:
        threshold = Calibration(foreground=choice.foreground)
    for item in with_truth:
        try:
            result = consensus_of(item, threshold)
        except ConsolidationError as error:
            skipped.append(f"{item.id}: {error}")
            progress.failures += 1
        else:
            true = read(item.id)
            gold.append(_count(item.id, result, true, table))
            confusion += known_confusion(table[result.labels], true)
            pixels += true.size
        progress.done += 1
        on_progress(progress)
    if not gold:
        reason = f": {'; '.join(skipped)}" if skipped else ""
        both = source if truth is None else f"{source} and {truth}"
        raise SourceError(f"{both} have no image in common to learn from{reason}")
    known = int(confusion.sum())
    if not known:
        raise SourceError(
            f"{truth}: nothing is left to learn from: all of the truth is unknown (255)"
        )
    refuse_nothing_in_common(confusion, true_names or names)
    if not true_names:
        doubt = binary_truth(
            np.flatnonzero(confusion.sum(axis=0)).tolist(),
            np.flatnonzero(confusion.sum(axis=1)).tolist(),
        )
        truth_notes += () if doubt is None else (doubt,)
    calibration = Calibration.of_bins([example.bins for example in gold])
    return Calibrated(
        replace(calibration, foreground=choice.foreground),
        _errors(gold),
        tuple(skipped),
        unknown=1 - known / pixels,
        notes=(*opened.notes, *truth_notes),
        gain=None if math.isnan(choice.gain) else (choice.gain, choice.error),
    )


def _count(
    object_id: str, consensus: Consensus, truth: NDArray[np.uint8], table: NDArray[np.uint8]
) -> GoldImage:
    labels = consensus.labels
    if labels.shape != truth.shape:
        sizes = [" x ".join(map(str, mask.shape)) for mask in (labels, truth)]
        raise SourceError(
            f"image {object_id!r}: its masks have size {sizes[0]}, the truth {sizes[1]}"
        )
    scored = ~consensus.undecided & (truth != UNDECIDED_INDEX)
    right = table[labels] == truth
    values = consensus.confidence_bytes()
    counts = {"disputed": ConfidenceCounts(), "all": ConfidenceCounts()}
    for name, pixels in (("disputed", scored & consensus.disputed), ("all", scored)):
        counts[name].add(values[pixels], right[pixels])
    return GoldImage(count_bins(consensus.confidence[scored], right[scored]), **counts)


def _errors(gold: Sequence[GoldImage]) -> dict[str, tuple[float, float]]:
    """Calibration errors before, and after a map learnt from the other images."""
    levels = np.arange(256) / 255
    maps = []
    for index in range(len(gold)):
        others = [example.bins for other, example in enumerate(gold) if other != index]
        maps.append(Calibration.of_bins(others)(levels))
    errors = {}
    for name in ("disputed", "all"):
        counts: list[ConfidenceCounts] = [getattr(example, name) for example in gold]
        pixels = np.sum([count.pixels for count in counts], axis=0)
        right = np.sum([count.right for count in counts], axis=0)
        before = expected_calibration_error(levels, pixels, right)
        # every image has a map of its own: a value is held against the mean of what they make of it
        pairs = zip(maps, counts, strict=True)
        promised = np.sum([values * count.pixels for values, count in pairs], axis=0)
        after = expected_calibration_error(promised / np.maximum(pixels, 1), pixels, right)
        errors[name] = (before, after)
    return errors

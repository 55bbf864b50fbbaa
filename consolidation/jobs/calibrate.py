"""`consolidate calibrate`: a calibration from gold images, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import Calibration, Consensus
from consolidation.consensus.calibration import count_bins
from consolidation.errors import ConsolidationError, SourceError
from consolidation.evaluation import (
    ConfidenceCounts,
    expected_calibration_error,
    load_masks,
    read_mask,
)
from consolidation.jobs.learning import learn_all
from consolidation.jobs.sources import SourceOptions, job_classes, open_source
from consolidation.jobs.work import Job
from consolidation.masks import UNDECIDED_INDEX
from consolidation.options import Options
from consolidation.pipeline import consolidate_object
from consolidation.prepare import MaskBuffer

Counts = tuple[NDArray[np.float64], ConfidenceCounts]


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and what it is worth on images that it was not learnt from.

    Attributes
    ----------
    calibration : Calibration
    errors : dict of str to (float, float)
        Expected calibration error of ``"disputed"`` and of ``"all"`` pixels, before and after;
        after: each image by a map learnt from the others.
    skipped : tuple of str
        Objects with a truth that could not be consolidated, and why.
    """

    calibration: Calibration
    errors: dict[str, tuple[float, float]]
    skipped: tuple[str, ...] = ()

    def table(self) -> str:
        """Lay it out as plain text."""
        count = self.calibration.images
        lines = [f"calibration learnt from {count} gold image{'s' if count > 1 else ''}"]
        lines += [f"  skipped: {reason}" for reason in self.skipped]
        for name, (before, after) in self.errors.items():
            lines.append(f"  calibration error, {name + ' pixels':<16} {before:.3f} -> {after:.3f}")
        lines.append("  after: each image by what the others tell; 0 is perfect")
        return "\n".join(lines)


def calibrate(
    source: str | Path,
    truth: str | Path,
    options: Options | None = None,
    *,
    labels: str | Path | None = None,
    source_options: SourceOptions | None = None,
    on_object: Callable[[], None] = lambda: None,
) -> Calibrated:
    """Learn a calibration from the objects of a source whose truth is known.

    Parameters
    ----------
    source : path
        As for `run_job`. Reliability and the choice of ``auto`` are learnt from all of it.
    truth : path
        Folder of true masks, as for `evaluate_folders`: ``<id>.png`` or ``<id>/truth.png``, pixel
        = class index, 255 where nobody knows.
    options : Options, optional
        Those of the runs that will use the calibration.
    labels : path, optional
        Label-categories file; without it the source tells its classes.
    source_options : SourceOptions, optional
    on_object : callable, optional
        Called after each gold image.

    Raises
    ------
    SourceError
        If source or truth cannot be read, or they have no image in common.
    """
    options = options or Options()
    opened = open_source(source, replace(source_options or SourceOptions(), labels=labels))
    job = Job("", job_classes(opened, labels), options, "")
    true_masks = load_masks(truth)
    counted: list[Counts] = []
    skipped: list[str] = []
    learnt = learn_all(job, opened.items).decides
    buffer = MaskBuffer()
    for item in opened.items:
        if item.id not in true_masks:
            continue
        try:
            result = consolidate_object(item.load(), job.classes, options, learnt, buffer)
        except ConsolidationError as error:
            skipped.append(f"{item.id}: {error}")
        else:
            counted.append(_count(item.id, result.consensus, read_mask(true_masks[item.id])))
        on_object()
    if not counted:
        reason = f": {'; '.join(skipped)}" if skipped else ""
        raise SourceError(f"{source} and {truth} have no image in common to learn from{reason}")
    bins = [one for one, _ in counted]
    return Calibrated(Calibration.of_bins(bins), _errors(counted), tuple(skipped))


def _count(object_id: str, consensus: Consensus, truth: NDArray[np.uint8]) -> Counts:
    labels = consensus.labels
    if labels.shape != truth.shape:
        sizes = [" x ".join(map(str, mask.shape)) for mask in (labels, truth)]
        raise SourceError(
            f"image {object_id!r}: its masks have size {sizes[0]}, the truth {sizes[1]}"
        )
    scored = ~consensus.undecided & (truth != UNDECIDED_INDEX)
    right = (labels == truth)[scored]
    counts = ConfidenceCounts()
    counts.add(consensus.confidence_bytes()[scored], right)
    return count_bins(consensus.confidence[scored], right), counts


def _errors(counted: list[Counts]) -> dict[str, tuple[float, float]]:
    """Calibration errors before, and after a map learnt from the other images."""
    levels = np.arange(256) / 255
    errors = {}
    for name, below in (("disputed", levels < 1), ("all", levels <= 1)):
        values, pixels, right = [], [], []
        for place, (_, counts) in enumerate(counted):
            others = [bins for other, (bins, _) in enumerate(counted) if other != place]
            values.append(Calibration.of_bins(others)(levels)[below])
            pixels.append(counts.pixels[below])
            right.append(counts.right[below])
        together = np.sum(pixels, axis=0), np.sum(right, axis=0)
        before = expected_calibration_error(levels[below], *together)
        # every image has a map of its own: a value is held against the mean of what they make of it
        promised = np.sum([v * p for v, p in zip(values, pixels, strict=True)], axis=0)
        mean = promised / np.maximum(together[0], 1)
        errors[name] = (before, expected_calibration_error(mean, *together))
    return errors

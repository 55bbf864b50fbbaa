"""What a report shows, as plain records; whoever runs a job fills them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from consolidation.objects import MaskClass


class Region(TypedDict):
    """A disputed part of an image."""

    box: Sequence[int]
    """x0, y0, x1, y1 in pixels of the image; x1 and y1 are outside."""
    area: int
    """Disputed pixels in it."""
    classes: Sequence[str]
    """Names of the classes that were given there."""
    workers: Sequence[str]
    """Those against the consensus."""
    reason: str
    """One sentence for a person."""


@dataclass(frozen=True)
class ReportImage:
    """One image of the report.

    Attributes
    ----------
    id : str
    confidence : float
        Mean over the pixels that anybody painted.
    disputed, tied, undecided, unlabelled : float
        Shares of its pixels.
    n_workers : int
    need : float or None
        Need of review, 0 to 1, as the order of the images has it; None where it was not estimated.
    agreement : dict of worker to float
        Each worker's mean IoU with the consensus; NaN where neither has a class.
    warnings : list of str
    regions : list of Region
        Largest first; the page shows nine.
    snapshot : bytes or None
        `Snapshot.to_bytes()`; without it only the figures are shown.
    picture : bytes or None
        `small_jpeg(...)`.
    """

    id: str
    confidence: float
    disputed: float
    tied: float
    undecided: float
    n_workers: int
    need: float | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    regions: Sequence[Region] = ()
    snapshot: bytes | None = None
    picture: bytes | None = None
    unlabelled: float = 0.0


@dataclass(frozen=True)
class ReportWorker:
    """One worker over the whole job.

    Attributes
    ----------
    id : str
    images : int
        Images with a usable answer.
    reliability : float or None
        0 to 1; None where none was learnt.
    interval : (float, float) or None
        Where the reliability lies with a probability of 95 %.
    agreement : float
        Mean IoU with the consensus, over classes; may be NaN.
    class_iou : list of K floats
        IoU with the consensus by class; NaN where a class is in neither.
    blank, dropped : int
        Answers with nothing painted, and answers that could not be used.
    seconds : float or None
        Median time for an image.
    junk : bool
        Plainly does not do the task.
    votes : bool
        Whether this worker's vote counted.
    twins : list of str
        Workers with the same answers to the pixel.
    note : str
        What is odd about this worker, and the evidence, in a sentence.
    """

    id: str
    images: int
    reliability: float | None = None
    interval: tuple[float, float] | None = None
    agreement: float = float("nan")
    class_iou: Sequence[float] = ()
    blank: int = 0
    dropped: int = 0
    seconds: float | None = None
    junk: bool = False
    votes: bool = True
    twins: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class CalibrationBin:
    """Pixels of about one confidence: how many, their mean, and the share that was right."""

    pixels: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Report:
    """A whole report.

    Attributes
    ----------
    title : str
    classes : list of MaskClass
        Index, name and colour, background first; UNDECIDED may be last, with its colour.
    images : iterable of ReportImage
        Those to be shown, most in need of review first; read once, one at a time.
    n_images : int
        Images consolidated, shown or not.
    workers : list of ReportWorker
        Least reliable first.
    disputed : float
        Share of all pixels on which workers differ.
    unlabelled, void : float
        Shares of all pixels that nobody labelled; void is on purpose.
    confidence : float
        Mean over images.
    alpha : float or None
        Krippendorff's alpha of the workers over the job.
    method, reason : str
        How votes were counted, and why so, in a sentence.
    failures, warnings : int
    version, created : str
    pairs : ndarray of shape (W, W), or None
        Agreement of every two workers, in the order of `workers`; NaN without common images.
    confusion : ndarray of shape (K, K), int64, or None
        [i, j]: pixels with consensus i to which a worker gave j, summed over workers.
    class_confidence : list of K floats
        NaN where a class was given to no pixel.
    """

    title: str
    classes: Sequence[MaskClass]
    images: Iterable[ReportImage]
    n_images: int
    workers: Sequence[ReportWorker]
    disputed: float
    confidence: float
    alpha: float | None
    method: str
    reason: str
    failures: int
    warnings: int
    version: str
    created: str
    pairs: NDArray[np.float64] | None = None
    confusion: NDArray[np.int64] | None = None
    class_confidence: Sequence[float] = ()
    unlabelled: float = 0.0
    void: float = 0.0

"""What the consensus of one image is, and how far to trust it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation._version import __version__
from consolidation.consensus.calibration import Calibration
from consolidation.consensus.overlap import (
    WorkerAgreement,
    ignored_pixels,
    mean_of_present,
    need_of_review,
    overlap_iou,
    overlaps,
    overlaps_of,
)
from consolidation.consensus.regions import MIN_AREA, MOST, Region, find_regions
from consolidation.consensus.settings import Settings
from consolidation.consensus.shares import ALL, Shares
from consolidation.consensus.stack import Stack
from consolidation.consensus.unlabelled import Void
from consolidation.consensus.vote import Outcome
from consolidation.kernels import pairs

FEW_CLASSES = 64
"""Up to so many, overlaps come from the whole confusion matrices: one pass for both."""
MOST_CONFUSION = 2_000_000_000
"""Bytes of all confusion matrices: of 8 workers, with 5,590 classes."""


class Consensus:
    """The consensus of one image.

    `labels`, `votes` and `tied` are stored. The rest is computed when it is first read, from the
    masks, which are kept by reference: do not overwrite them before.

    Attributes
    ----------
    labels : ndarray of shape (H, Wd), uint8, or uint16 above 254 classes
        The consensus mask; the undecided index where the vote did not decide. Of masks that are
        uint8 or uint16 it has the dtype.
    votes : ndarray of shape (H, Wd), uint8
        Workers who voted for the label chosen; 0 where undecided.
    tied : ndarray of shape (H, Wd), bool
        The vote alone, before neighbours, did not decide: another class had as much support.
    ignore_index : int or None
        As it was given.
    """

    def __init__(
        self,
        everyone: Stack,
        outcome: Outcome,
        settings: Settings,
        workers: tuple[str, ...],
        voters: tuple[str, ...],
        k: int,
        calibration: Calibration | None = None,
        *,
        ignore_index: int | None = None,
        void: Void = False,
    ) -> None:
        self.labels = outcome.labels
        self.votes = outcome.votes
        self.tied = outcome.tied
        self.ignore_index = ignore_index
        self._everyone, self._stack = everyone, outcome.stack
        self._outcome, self._settings = outcome, settings
        self._worker_ids, self._voter_ids = workers, voters
        self._calibration = calibration
        self.n_classes = k
        self._shares = Shares(outcome, settings, k, calibration, void)

    @property
    def n_workers(self) -> int:
        """Number of masks."""
        return self._everyone.n_workers

    @property
    def masks(self) -> tuple[NDArray[Any], ...]:
        """Mask (H, Wd) of each worker, whether or not that worker's vote had weight.

        As they were voted on: uint8 or uint16, with `no_vote` where a pixel says nothing.
        """
        return tuple(row.reshape(self._everyone.shape) for row in self._everyone.rows)

    @property
    def worker_ids(self) -> tuple[str, ...]:
        """Id of each worker, in the order of the masks."""
        return self._worker_ids

    @property
    def no_vote(self) -> int | None:
        """Label in `masks` that is no vote; None where no pixel has it.

        It is `ignore_index`, but where that had to be another in the bytes of `masks`.
        """
        return self._everyone.ignore if self._everyone.ignore >= 0 else None

    @property
    def n_undecided(self) -> int:
        """Pixels without a class."""
        return self._outcome.undecided

    @property
    def voters(self) -> NDArray[np.uint8]:
        """(H, Wd) uint8: workers who labelled the pixel."""
        return self._shares.voters

    @property
    def n_unlabelled(self) -> int:
        """Pixels that nobody labelled, and not on purpose."""
        return self._shares.unlabelled.unknown

    @property
    def n_void(self) -> int:
        """Pixels that nobody labelled, on purpose: see `void` of `consolidate`."""
        return self._shares.unlabelled.void

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """(H, Wd) bool: no class was chosen."""
        return np.equal(self.votes, 0)

    @property
    def disputed(self) -> NDArray[np.bool_]:
        """(H, Wd) bool: those who labelled the pixel did not all give it the same class."""
        return self._shares.disputed

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(H, Wd) float32 in [0, 1]: share of the vote that the chosen label got.

        Of the weighted vote where weights were given; of the heads where weights were learnt,
        for that is what is calibrated. Where neighbours chose a class that fewer workers gave
        than another one, it is that class's share of the votes in the window. 1 at unanimous
        pixels, 0 at undecided ones. With a calibration, what that makes of it.
        """
        return self._shares.by_pixel

    def confidence_bytes(self, rows: slice = ALL) -> NDArray[np.uint8]:
        """Some rows of the confidence as round(255 c), uint8, without making all of it first."""
        return self._shares.as_bytes(rows)

    @property
    def confidence_levels(self) -> NDArray[np.uint8] | None:
        """(256,) uint8: round(255 c) by `votes`; None where it depends on more than those."""
        return self._shares.levels

    @property
    def class_confidence(self) -> NDArray[np.float64]:
        """(K,) float64: mean confidence over the pixels given that class; NaN where none."""
        sums = self._shares.by_class
        return np.where(sums.pixels > 0, sums.confidence / np.maximum(sums.pixels, 1), np.nan)

    @property
    def class_pixels(self) -> NDArray[np.int64]:
        """(K,) int64: pixels given that class."""
        return self._shares.by_class.pixels

    @property
    def image_confidence(self) -> float:
        """Mean confidence over the pixels that any worker gave a class above 0, or nobody any.

        The latter count 0, unless it was on purpose (`void`): then they do not count. 1.0 only if
        all that counts is voted background, 0.0 if everything is void.
        """
        return self._shares.of_image

    @cached_property
    def need_of_review(self) -> float:
        """How much the image needs a second look, 0 to 1: the higher, the sooner.

        1 minus the mean, over those who voted, of their mean IoU with the consensus (as
        `WorkerAgreement.agreement`, but undecided pixels count against it). It estimates
        by how much the consensus itself misses the truth: every worker is asked in turn to stand
        for it, as in the query by committee of Seung, Opper and Sompolinsky (1992). Use it to rank
        the images of a job. 1 where fewer than two voted: nobody has looked at it yet. That
        holds for pixels, too: of those that are not void, the share that nobody labelled counts as
        pixels without any agreement.
        """
        voted = [
            index for index, worker in enumerate(self._worker_ids) if worker in self._voter_ids
        ]
        need = need_of_review(self._stack, self.overlap[voted], self._outcome.undecided)
        return need + (1.0 - need) * self._shares.unlabelled.share

    @property
    def _no_class(self) -> int:
        """Label of undecided pixels; -1 where there are none, for it may be a class then."""
        return self._settings.undecided if self._outcome.undecided else -1

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(W, K, K) int64: [w, i, j] counts pixels that worker w gave i and the consensus j.

        Raises
        ------
        ValueError
            Where it would take more than 2 GB; `overlap` tells what IoU needs in any case.
        """
        stack, k = self._everyone, self.n_classes
        n_bytes = 8 * stack.n_workers * k * k
        if n_bytes > MOST_CONFUSION:
            raise ValueError(
                f"the confusion matrices of {stack.n_workers} workers and {k:,} classes would take "
                f"{n_bytes / 1e9:,.0f} GB: `overlap` has each class's pixels without the pairs"
            )
        matrices = np.zeros((stack.n_workers, k, k), np.int64)
        labels, no_class = self.labels.reshape(-1), self._no_class
        totals, scratch = np.zeros((2, k), np.int64)
        pairs.count_classes(labels, totals)
        if 0 <= no_class < k:
            totals[no_class] = 0
        for row, matrix in zip(stack.rows, matrices, strict=True):
            pairs.disagreement(row, labels, stack.ignore, no_class, totals, scratch, matrix)
        return matrices

    @cached_property
    def overlap(self) -> NDArray[np.int64]:
        """(W, 3, K) int64: pixels of each class in both masks, in worker w's, in the consensus.

        Counted where the worker labelled the pixel and the consensus is decided.
        """
        if self.n_classes <= FEW_CLASSES:
            return overlaps_of(self.confusion)
        return overlaps(self._everyone, self.labels, self._no_class, self.n_classes)

    @cached_property
    def workers(self) -> tuple[WorkerAgreement, ...]:
        """One record a worker, in the order of the masks."""
        ious = [overlap_iou(sums) for sums in self.overlap]
        return tuple(
            WorkerAgreement(name, mean_of_present(iou), tuple(iou.tolist()), ignored)
            for name, iou, ignored in zip(
                self._worker_ids, ious, ignored_pixels(self._everyone), strict=True
            )
        )

    def regions(self, min_area: int = MIN_AREA, most: int = MOST) -> list[Region]:
        """Connected disputed regions, largest first; see `Region`.

        Parameters
        ----------
        min_area : int
            Smaller regions, in pixels, are left out.
        most : int
            No more than so many are returned.
        """
        return find_regions(
            self.disputed, self._stack, self.labels, self._voter_ids, self.n_classes, min_area, most
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the masks, one line each; the consensus stands all the same."""
        fitted = self._outcome.fit
        return tuple(
            f"worker {self._voter_ids[index]}: gives some class another label oftener than its own"
            for index in (() if fitted is None else fitted.inverted)
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """JSON-ready: method, parameters, version, counts and warnings."""
        fitted = self._outcome.fit
        return {
            "method": self._settings.method,
            "parameters": self._settings.as_dict()
            | ({} if self._calibration is None else {"calibration": self._calibration.as_dict()}),
            "version": __version__,
            "workers": self.n_workers,
            "counts": {
                "pixels": self._stack.n_pixels,
                "disputed": self._shares.n_disputed,
                "tied": int(np.count_nonzero(self.tied)),
                "smoothed": self._outcome.smoothed,
                "undecided": self._outcome.undecided,
                "unlabelled": self.n_unlabelled,
                "void": self.n_void,
                "ignored": sum(ignored_pixels(self._everyone)),
            },
            **({} if fitted is None else {"dawid_skene": fitted.as_dict()}),
            "warnings": list(self.warnings),
        }

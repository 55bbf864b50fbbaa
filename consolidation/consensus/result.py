"""What the consensus of one image is, and how far to trust it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation._version import __version__
from consolidation.consensus.calibration import Calibration
from consolidation.consensus.regions import MIN_AREA, MOST, Region, find_regions
from consolidation.consensus.settings import Settings
from consolidation.consensus.stack import Stack
from consolidation.consensus.vote import Outcome, Overruled, vote
from consolidation.kernels import patterns, rules
from consolidation.kernels.colors import lookup
from consolidation.kernels.weighted import weighted_share

BLOCK = 1 << 20
"""Pixels whose confidence is in memory at a time where it only serves for sums."""


@dataclass(frozen=True)
class WorkerAgreement:
    """How one worker's mask compares with the consensus.

    Attributes
    ----------
    worker : str
        The worker's id.
    agreement : float
        Mean IoU with the consensus, over the classes in either; NaN if there is none.
    class_iou : tuple of K floats
        IoU with the consensus for each class; NaN where the class is in neither.
    ignored : int
        Pixels where this worker's mask says nothing.
    """

    worker: str
    agreement: float
    class_iou: tuple[float, ...]
    ignored: int


class Consensus:
    """The consensus of one image.

    `labels`, `votes` and `tied` are stored. The rest is computed when it is first read, from the
    masks, which are kept by reference: do not overwrite them before.

    Attributes
    ----------
    labels : ndarray of shape (H, Wd), dtype of the masks
        The consensus mask; the undecided index where the vote did not decide.
    votes : ndarray of shape (H, Wd), uint8
        Workers who voted for the label chosen; 0 where undecided.
    tied : ndarray of shape (H, Wd), bool
        The vote alone, before neighbours, did not decide: another class had as much support.
    """

    def __init__(
        self,
        everyone: Stack,
        voting: Stack,
        outcome: Outcome,
        settings: Settings,
        workers: tuple[str, ...],
        voters: tuple[str, ...],
        k: int,
        calibration: Calibration | None = None,
    ) -> None:
        self.labels = outcome.labels
        self.votes = outcome.votes
        self.tied = outcome.tied
        self._everyone, self._stack = everyone, voting
        self._outcome, self._settings = outcome, settings
        self._worker_ids, self._voter_ids = workers, voters
        self._calibration = calibration
        self.n_classes = k
        self.warnings: list[str] = []

    @property
    def n_workers(self) -> int:
        """Number of masks."""
        return self._everyone.n_workers

    @property
    def masks(self) -> tuple[NDArray[Any], ...]:
        """Mask (H, Wd) of each worker, whether or not that worker's vote had weight."""
        return tuple(row.reshape(self._everyone.shape) for row in self._everyone.rows)

    @property
    def worker_ids(self) -> tuple[str, ...]:
        """Id of each worker, in the order of the masks."""
        return self._worker_ids

    @property
    def ignore_index(self) -> int | None:
        """The label in the masks that is no vote."""
        return self._everyone.ignore if self._everyone.ignore >= 0 else None

    @property
    def n_undecided(self) -> int:
        """Pixels without a class."""
        return self._outcome.undecided

    @cached_property
    def voters(self) -> NDArray[np.uint8]:
        """(H, Wd) uint8: workers who labelled the pixel."""
        stack = self._stack
        if stack.ignore < 0:
            return np.full(stack.shape, stack.n_workers, np.uint8)
        voters = np.zeros(stack.shape, np.uint8)
        rules.count_voters(stack.flat, stack.ignore, voters.reshape(-1))
        return voters

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """(H, Wd) bool: no class was chosen."""
        return np.equal(self.votes, 0)

    @cached_property
    def disputed(self) -> NDArray[np.bool_]:
        """(H, Wd) bool: those who labelled the pixel did not all give it the same class."""
        n_workers = self._stack.n_workers
        if self._stack.ignore < 0 and n_workers >= self._settings.min_votes:
            return np.not_equal(self.votes, n_workers)
        disputed = np.zeros(self._stack.shape, np.bool_)
        rules.disputed(self._stack.flat, self._stack.ignore, disputed.reshape(-1))
        return disputed

    @property
    def _n_disputed(self) -> int:
        n_workers = self._stack.n_workers
        if self._follows_from_votes and n_workers >= self._settings.min_votes:
            return self._stack.n_pixels - int(self._votes_by_class[:, -1].sum())
        return int(np.count_nonzero(self.disputed))

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(H, Wd) float32 in [0, 1]: share of the vote that the chosen label got.

        Of the weighted vote where weights were given; of the heads where weights were learnt,
        for that is what is calibrated. Where neighbours chose a class that fewer workers gave
        than another one, it is that class's share of the votes in the window. 1 at unanimous
        pixels, 0 at undecided ones. With a calibration, what that makes of it.
        """
        stack, settings = self._stack, self._settings
        share: NDArray[np.float32]
        if self._shares_are_weighted:
            share = np.empty(stack.shape, np.float32)
            weights = settings.integer_weights(stack.n_workers)
            labels = self.labels.reshape(-1)
            weighted_share(stack.flat, weights, stack.ignore, labels, share.reshape(-1))
            share[self.undecided] = 0
        elif stack.ignore < 0:
            share = np.empty(stack.shape, np.float32)
            rules.plain_share(self.votes.reshape(-1), stack.n_workers, share.reshape(-1))
        else:
            return self._confidence_of(slice(None))
        share.reshape(-1)[self._overruled.places] = self._overruled.shares
        return self._calibrated(share)

    def _confidence_of(self, rows: slice) -> NDArray[np.float32]:
        """Rows of the confidence where workers ignored pixels and no weights are given."""
        share = np.divide(self.votes[rows], np.maximum(self.voters[rows], 1), dtype=np.float32)
        within, shares = self._overruled_in(rows, share.size)
        share.reshape(-1)[within] = shares
        return self._calibrated(share)

    def _overruled_in(
        self, rows: slice, size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Overruled pixels of some rows, of so many pixels: their places in them, their shares."""
        places, shares = self._overruled
        start = rows.indices(len(self.votes))[0] * self.votes.shape[1]
        first, last = np.searchsorted(places, (start, start + size))
        return places[first:last] - start, shares[first:last]

    def _calibrated(self, share: NDArray[np.float32]) -> NDArray[np.float32]:
        return share if self._calibration is None else self._calibration(share)

    @cached_property
    def _overruled(self) -> Overruled:
        """Pixels whose neighbours overruled a majority; voted on again if they were not kept."""
        kept = self._outcome.overruled or vote(self._stack, self._settings, True).overruled
        assert kept is not None
        return kept

    def confidence_bytes(self, rows: slice = slice(None)) -> NDArray[np.uint8]:
        """Some rows of the confidence as round(255 c), uint8, without making all of it first."""
        votes = self.votes[rows]
        values = np.empty(votes.shape, np.uint8)
        flat = values.reshape(-1)
        if not self._follows_from_votes:
            whole = self._shares_are_weighted or "confidence" in vars(self)
            share = self.confidence[rows] if whole else self._confidence_of(rows)
            rules.to_bytes(share.reshape(-1), flat)
            return values
        n_workers = self._stack.n_workers
        shares = np.arange(256, dtype=np.float32) / np.float32(n_workers)
        shares = self._calibrated(np.minimum(shares, 1))
        table = np.rint(shares * np.float32(255)).astype(np.uint8)
        lookup(votes.reshape(-1), table, n_workers + 1, flat)
        within, overruled = self._overruled_in(rows, flat.size)
        flat[within] = np.rint(self._calibrated(overruled) * np.float32(255)).astype(np.uint8)
        return values

    @property
    def _follows_from_votes(self) -> bool:
        """Whether the confidence is votes / workers, but where neighbours overruled them."""
        return self._stack.ignore < 0 and not self._shares_are_weighted

    @property
    def _shares_are_weighted(self) -> bool:
        return self._settings.weights is not None and not self._settings.learnt

    @cached_property
    def class_confidence(self) -> NDArray[np.float64]:
        """(K,) float64: mean confidence over the pixels given that class; NaN where none."""
        sums, counts, _ = self._shares
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    @property
    def class_pixels(self) -> NDArray[np.int64]:
        """(K,) int64: pixels given that class."""
        return self._shares[1]

    @cached_property
    def image_confidence(self) -> float:
        """Mean confidence over the pixels that any worker gave a class above 0; 1.0 if none."""
        if self._settings.min_votes > 1:
            # pixels with too few votes are undecided whether they were painted or not
            confidence = self.confidence.reshape(-1)
            total, painted = rules.painted_share(self._stack.flat, self._stack.ignore, confidence)
        else:
            sums, _, (background, unvoted) = self._shares
            total = float(sums.sum()) - background * self._unanimous
            painted = self._stack.n_pixels - background - unvoted
        return float(total / painted) if painted else 1.0

    @cached_property
    def need_of_review(self) -> float:
        """How much the image needs a second look, 0 to 1: the higher, the sooner.

        1 minus the mean, over those who voted, of their mean IoU with the consensus (as
        `WorkerAgreement.agreement`, but undecided pixels count against it). It estimates
        by how much the consensus itself misses the truth: every worker is asked in turn to stand
        for it, as in the query by committee of Seung, Opper and Sompolinsky (1992). Use it to rank
        the images of a job. 1 where fewer than two voted: nobody has looked at it yet.
        """
        if self._stack.n_workers < 2:
            return 1.0
        stack = self._stack
        overlaps = self.overlap if stack is self._everyone else self._overlap(stack)
        agreements = []
        for row, sums in zip(stack.rows, overlaps, strict=True):
            both, own, consensus = sums
            if self._outcome.undecided:
                # whoever painted nothing but undecided pixels does not agree fully
                areas = np.zeros_like(sums)
                patterns.overlap(row, row, stack.ignore, -1, areas)
                own = areas[1]
            agreements.append(mean_of_present(overlap_iou(np.stack([both, own, consensus]))))
        known = [value for value in agreements if not math.isnan(value)]
        return max(1.0 - math.fsum(known) / len(known), 0.0) if known else 1.0

    @property
    def _unanimous(self) -> float:
        """Confidence of unanimous pixels."""
        return float(self._calibrated(np.ones(1, np.float32))[0])

    @cached_property
    def _votes_by_class(self) -> NDArray[np.int64]:
        """(K, W + 1) int64: pixels by class and number of votes for it."""
        pairs = np.zeros((self.n_classes, self._stack.n_workers + 1), np.int64)
        labels, votes = self.labels.reshape(-1), self.votes.reshape(-1)
        patterns.confusion(labels, votes, self._no_class, 0, pairs)
        return pairs

    @cached_property
    def _shares(self) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[int, int]]:
        """Sum of confidence and number of pixels by class; pixels unanimously 0, and unvoted."""
        k, stack = self.n_classes, self._stack
        labels, votes = self.labels.reshape(-1), self.votes.reshape(-1)
        if self._follows_from_votes:
            # the share of every (class, votes), then put right what neighbours overruled
            pairs = self._votes_by_class
            shares = np.arange(stack.n_workers + 1) / stack.n_workers
            places, overruled_shares = self._overruled
            if self._calibration is not None:
                shares = self._calibration(shares).astype(np.float64)
                overruled_shares = self._calibration(overruled_shares)
            sums = pairs @ shares
            np.add.at(sums, labels[places], overruled_shares - shares[votes[places]])
            return sums, pairs.sum(axis=1), (int(pairs[0, -1]), 0)
        sums, counts, background, unvoted = np.zeros(k), np.zeros(k, np.int64), 0, 0
        height, width = stack.shape
        step = height if self._shares_are_weighted else max(BLOCK // width, 1)
        for top in range(0, height, step):
            # a whole map of floats would be the largest thing in memory
            rows = slice(top, top + step)
            share = self.confidence if self._shares_are_weighted else self._confidence_of(rows)
            part = [one[rows].reshape(-1) for one in (self.labels, self.votes, self.voters)]
            of_part = rules.share_by_class(*part, share.reshape(-1), sums, counts)
            background, unvoted = background + of_part[0], unvoted + of_part[1]
        return sums, counts, (background, unvoted)

    @property
    def _no_class(self) -> int:
        """Label of undecided pixels; -1 where there are none, for it may be a class then."""
        return self._settings.undecided if self._outcome.undecided else -1

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(W, K, K) int64: [w, i, j] counts pixels that worker w gave i and the consensus j."""
        stack, k = self._everyone, self.n_classes
        matrices = np.zeros((stack.n_workers, k, k), np.int64)
        labels = self.labels.reshape(-1)
        for row, matrix in zip(stack.rows, matrices, strict=True):
            patterns.confusion(row, labels, stack.ignore, self._no_class, matrix)
        return matrices

    @cached_property
    def overlap(self) -> NDArray[np.int64]:
        """(W, 3, K) int64: pixels of each class in both masks, in worker w's, in the consensus.

        Counted where the worker labelled the pixel and the consensus is decided.
        """
        return self._overlap(self._everyone)

    def _overlap(self, stack: Stack) -> NDArray[np.int64]:
        sums = np.zeros((stack.n_workers, 3, self.n_classes), np.int64)
        labels = self.labels.reshape(-1)
        for row, one in zip(stack.rows, sums, strict=True):
            patterns.overlap(row, labels, stack.ignore, self._no_class, one)
        return sums

    @cached_property
    def workers(self) -> tuple[WorkerAgreement, ...]:
        """One record a worker, in the order of the masks."""
        records = []
        for name, row, sums in zip(
            self._worker_ids, self._everyone.rows, self.overlap, strict=True
        ):
            iou = overlap_iou(sums)
            ignored = 0
            if self._everyone.ignore >= 0:
                ignored = int(np.count_nonzero(row == self._everyone.ignore))
            records.append(
                WorkerAgreement(name, mean_of_present(iou), tuple(iou.tolist()), ignored)
            )
        return tuple(records)

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
    def provenance(self) -> dict[str, Any]:
        """JSON-ready: method, parameters, version, counts and warnings."""
        stack = self._stack
        everyone = self._everyone
        ignored = 0
        if everyone.ignore >= 0:
            ignored = sum(int(np.count_nonzero(row == everyone.ignore)) for row in everyone.rows)
        fitted = self._outcome.fit
        return {
            "method": self._settings.method,
            "parameters": self._settings.as_dict()
            | ({} if self._calibration is None else {"calibration": self._calibration.as_dict()}),
            "version": __version__,
            "workers": everyone.n_workers,
            "counts": {
                "pixels": stack.n_pixels,
                "disputed": self._n_disputed,
                "tied": int(np.count_nonzero(self.tied)),
                "smoothed": self._outcome.smoothed,
                "undecided": self._outcome.undecided,
                "ignored": ignored,
            },
            **({} if fitted is None else {"dawid_skene": fitted.as_dict()}),
            "warnings": list(self.warnings),
        }


def overlap_iou(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """IoU (K,) of each class from sums (3, K) as in `overlap`; NaN for a class in neither."""
    both, first, second = sums
    either = first + second - both
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)


def mean_of_present(iou: NDArray[np.float64]) -> float:
    """Mean IoU over the classes that are present; NaN if there is none."""
    present = iou[~np.isnan(iou)]
    return float(present.mean()) if present.size else float("nan")

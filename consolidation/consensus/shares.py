"""Confidence: the share of the vote that the chosen label got, by pixel, by class and by image."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.calibration import Calibration
from consolidation.consensus.settings import Settings
from consolidation.consensus.unlabelled import Unlabelled, Void
from consolidation.consensus.vote import Outcome, Overruled, vote
from consolidation.kernels import pairs, rules
from consolidation.kernels.colors import lookup
from consolidation.kernels.weighted import weighted_share

BLOCK = 1 << 20
"""Pixels whose confidence is in memory at a time where it only serves for sums."""
ALL = slice(None)


class ClassSums(NamedTuple):
    """Confidence and pixels of an image, added up."""

    confidence: NDArray[np.float64]
    """(K,): sum over the pixels given that class."""
    pixels: NDArray[np.int64]
    """(K,)."""
    background: int
    """Pixels that everybody who labelled them gave class 0."""
    unvoted: int
    """Pixels that nobody labelled."""


class Shares:
    """Shares of the vote in one image, each computed when it is first read.

    Parameters
    ----------
    outcome : Outcome
    settings : Settings
    k : int
        Number of classes.
    calibration : Calibration, optional
        Applied to every share.
    void : bool or ndarray of shape (H, Wd), bool, optional
        Where it is on purpose that nobody votes.
    """

    def __init__(
        self,
        outcome: Outcome,
        settings: Settings,
        k: int,
        calibration: Calibration | None,
        void: Void = False,
    ) -> None:
        self._stack, self._outcome, self._settings = outcome.stack, outcome, settings
        self._void = void
        self._k, self._calibration = k, calibration
        # where weights are learnt, heads are counted all the same: that share is calibrated
        self._weighted = settings.weights is not None and not settings.learnt
        self._by_votes = self._stack.ignore < 0 and not self._weighted
        """Whether the share is votes / workers, but where neighbours overruled them."""

    @cached_property
    def voters(self) -> NDArray[np.uint8]:
        """(H, Wd): workers who labelled the pixel."""
        stack = self._stack
        if stack.ignore < 0:
            return np.full(stack.shape, stack.n_workers, np.uint8)
        voters = np.zeros(stack.shape, np.uint8)
        rules.count_voters(stack.flat, stack.ignore, voters.reshape(-1))
        return voters

    @cached_property
    def unlabelled(self) -> Unlabelled:
        """Pixels without any vote."""
        if self._stack.ignore < 0:
            return Unlabelled()
        return Unlabelled.of(np.equal(self.voters, 0), self._void)

    @cached_property
    def disputed(self) -> NDArray[np.bool_]:
        """(H, Wd): those who labelled the pixel did not all give it the same class."""
        stack = self._stack
        if stack.ignore < 0 and stack.n_workers >= self._settings.min_votes:
            return np.not_equal(self._outcome.votes, stack.n_workers)
        disputed = np.zeros(stack.shape, np.bool_)
        rules.disputed(stack.flat, stack.ignore, disputed.reshape(-1))
        return disputed

    @property
    def n_disputed(self) -> int:
        """Number of disputed pixels."""
        stack = self._stack
        if self._by_votes and stack.n_workers >= self._settings.min_votes:
            return stack.n_pixels - int(self._votes_by_class[:, -1].sum())
        return int(np.count_nonzero(self.disputed))

    @cached_property
    def by_pixel(self) -> NDArray[np.float32]:
        """(H, Wd): see `Consensus.confidence`."""
        stack, outcome = self._stack, self._outcome
        if not self._weighted and not self._by_votes:
            return self._of_heads(ALL)
        share = np.empty(stack.shape, np.float32)
        flat = share.reshape(-1)
        if self._weighted:
            weights = self._settings.integer_weights(stack.n_workers)
            weighted_share(stack.flat, weights, stack.ignore, outcome.labels.reshape(-1), flat)
            share[outcome.votes == 0] = 0
        else:
            rules.plain_share(outcome.votes.reshape(-1), stack.n_workers, flat)
        flat[self._overruled.places] = self._overruled.shares
        return self._calibrated(share)

    def as_bytes(self, rows: slice) -> NDArray[np.uint8]:
        """Some rows as round(255 c), without making all of them first where it can be helped."""
        votes = self._outcome.votes[rows]
        values = np.empty(votes.shape, np.uint8)
        flat = values.reshape(-1)
        if not self._by_votes:
            whole = self._weighted or "by_pixel" in vars(self)
            share = self.by_pixel[rows] if whole else self._of_heads(rows)
            rules.to_bytes(share.reshape(-1), flat)
            return values
        lookup(votes.reshape(-1), self._levels, self._stack.n_workers + 1, flat)
        within, overruled = self._overruled_in(rows, flat.size)
        flat[within] = np.rint(self._calibrated(overruled) * np.float32(255)).astype(np.uint8)
        return values

    @property
    def levels(self) -> NDArray[np.uint8] | None:
        """(256,): round(255 c) by number of votes; None where it depends on more than that."""
        return self._levels if self._by_votes and not self._overruled.places.size else None

    @cached_property
    def _levels(self) -> NDArray[np.uint8]:
        shares = np.arange(256, dtype=np.float32) / np.float32(self._stack.n_workers)
        shares = self._calibrated(np.minimum(shares, 1))
        levels: NDArray[np.uint8] = np.rint(shares * np.float32(255)).astype(np.uint8)
        return levels

    @cached_property
    def by_class(self) -> ClassSums:
        """Sums by class."""
        stack, outcome = self._stack, self._outcome
        if self._by_votes:
            # the share of every (class, votes), then put right what neighbours overruled
            counts = self._votes_by_class
            shares = np.arange(stack.n_workers + 1) / stack.n_workers
            places, overruled_shares = self._overruled
            if self._calibration is not None:
                shares = self._calibration(shares).astype(np.float64)
                overruled_shares = self._calibration(overruled_shares)
            labels, votes = outcome.labels.reshape(-1), outcome.votes.reshape(-1)
            sums = counts @ shares
            np.add.at(sums, labels[places], overruled_shares - shares[votes[places]])
            return ClassSums(sums, counts.sum(axis=1), int(counts[0, -1]), 0)
        sums, counts = np.zeros(self._k), np.zeros(self._k, np.int64)
        background = unvoted = 0
        height, width = stack.shape
        step = height if self._weighted else max(BLOCK // width, 1)
        for top in range(0, height, step):
            # a whole map of floats would be the largest thing in memory
            rows = slice(top, top + step)
            share = self.by_pixel if self._weighted else self._of_heads(rows)
            maps = (outcome.labels, outcome.votes, self.voters)
            part = [plane[rows].reshape(-1) for plane in maps]
            of_part = rules.share_by_class(*part, share.reshape(-1), sums, counts)
            background, unvoted = background + of_part[0], unvoted + of_part[1]
        return ClassSums(sums, counts, background, unvoted)

    @cached_property
    def of_image(self) -> float:
        """See `Consensus.image_confidence`."""
        stack = self._stack
        if self._settings.min_votes > 1:
            # pixels with too few votes are undecided whether they were painted or not
            share = self.by_pixel.reshape(-1)
            total, painted = rules.painted_share(stack.flat, stack.ignore, share)
            if not self._settings.background:
                voted = self.voters.reshape(-1) > 0
                total, painted = float(share[voted].sum(dtype=np.float64)), int(voted.sum())
        else:
            sums = self.by_class
            unanimous = float(self._calibrated(np.ones(1, np.float32))[0])
            background = sums.background if self._settings.background else 0
            total = float(sums.confidence.sum()) - background * unanimous
            painted = stack.n_pixels - background - sums.unvoted
        counted = painted + self.unlabelled.unknown
        if counted:
            return float(total / counted)
        return 1.0 if self.unlabelled.void < stack.n_pixels else 0.0

    @cached_property
    def _votes_by_class(self) -> NDArray[np.int64]:
        """(K, W + 1): pixels by class and number of votes for it."""
        counts = np.zeros((self._k, self._stack.n_workers + 1), np.int64)
        labels, votes = self._outcome.labels.reshape(-1), self._outcome.votes.reshape(-1)
        no_class = self._settings.undecided if self._outcome.undecided else -1
        pairs.confusion(labels, votes, no_class, 0, counts)
        return counts

    def _of_heads(self, rows: slice) -> NDArray[np.float32]:
        """Rows of the confidence where workers ignored pixels and heads are counted."""
        votes = self._outcome.votes[rows]
        share = np.divide(votes, np.maximum(self.voters[rows], 1), dtype=np.float32)
        within, shares = self._overruled_in(rows, share.size)
        share.reshape(-1)[within] = shares
        return self._calibrated(share)

    @cached_property
    def _overruled(self) -> Overruled:
        """Pixels whose neighbours overruled a majority; voted on again if they were not kept."""
        kept = self._outcome.overruled or vote(self._stack, self._settings, True).overruled
        assert kept is not None
        return kept

    def _overruled_in(
        self, rows: slice, size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Overruled pixels of some rows, of so many pixels: their places in them, their shares."""
        places, shares = self._overruled
        height, width = self._stack.shape
        start = rows.indices(height)[0] * width
        first, last = np.searchsorted(places, (start, start + size))
        return places[first:last] - start, shares[first:last]

    def _calibrated(self, share: NDArray[np.float32]) -> NDArray[np.float32]:
        return share if self._calibration is None else self._calibration(share)

"""`auto`: the choice of method for a job, made on the job itself, without truth.

The base is plurality with light smoothing (sigma 1) and ties by neighbours: on every real set
tried it was as good as plain plurality or better. Over a job,

- workers who are not independent (see `independence`) are one voter, in estimates, in the test
  and in votes;
- workers who are plainly junk (see `junk`) get no vote; they are never the majority;
- the others' votes are weighted by reliability only if that shows to predict better. Each voter
  in turn is held out of the whole job, reliability is learnt from the rest, and the masks that
  voter made of the sampled images are predicted with weights and without. Weights are switched
  on if the mean over images of the difference in mean IoU exceeds twice its standard error, and
  if more than half of the voters are predicted better: a few who are alike, and predict each
  other, do not count for many;
- smoothing is left out where it takes sides. It is meant to average the hand's wavering, which
  costs every worker about as much; where most draw a border and some draw another, wider or
  narrower, it moves the consensus from the one towards the other. That shows: most workers lose
  in mean IoU with the consensus, while somebody gains;
- nothing is weighted where workers disagree so much that nobody can tell who is right: where
  half of them would be junk, or where some agree with few others (see `junk`).

Only images with four voters or more are asked, so that three remain: with two left, every
disagreement is a tie, and the test would reward whatever breaks ties best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.choice import Choice
from consolidation.consensus.consolidate import consolidate
from consolidation.consensus.estimate import Estimate
from consolidation.consensus.reliability import Reliability
from consolidation.consensus.sides import SmoothingTrial
from consolidation.consensus.trial import MIN_IMAGES, STANDARD_ERRORS, Fixed, mean_iou

SAMPLE = 32
"""Most images on which the choice is made."""
MIN_LEFT = 3
"""Workers that must remain when one is held out."""


class Trial:
    """The held-out test, image by image.

    Parameters
    ----------
    reliability : Reliability
        Of the whole job.
    smoothing, ties : as for `consolidate`
        Both predictions use them, so that only the weights differ.
    """

    def __init__(
        self, reliability: Reliability, smoothing: float | None = None, ties: str | None = None
    ) -> None:
        self.reliability = reliability
        self.smoothing, self.ties = smoothing, ties
        self.estimate = reliability.estimate()
        self._without: dict[tuple[str, ...], Estimate] = {}
        self.gains: list[float] = []
        self._by_voter: dict[tuple[str, ...], list[float]] = {}
        self._sides = SmoothingTrial(self.estimate, ties)

    def suits(self, workers: Sequence[str]) -> bool:
        """Whether an image by these workers can be asked."""
        return int(self.estimate.heads(workers).sum()) > MIN_LEFT

    def ask(
        self,
        masks: NDArray[Any],
        workers: Sequence[str],
        n_classes: int,
        ignore_index: int | None = None,
    ) -> None:
        """Predict each voter's mask of one image (W, H, Wd) with weights and without."""
        voters = np.flatnonzero(self.estimate.heads(workers)).tolist()
        differences = []
        for held in voters:
            companions = tuple(sorted(self.estimate.companions(workers[held])))
            rest = [index for index in voters if index != held]
            names = [workers[index] for index in rest]
            weights = self._estimate_without(companions).weights(names)
            # whoever is junk to the others' eyes alone stays in both predictions
            learnt = Fixed(np.maximum(weights, 1e-9))
            others = masks[rest]
            truth = masks[held]
            scores = []
            for reliability in (learnt, None):
                result = consolidate(
                    others,
                    n_classes=n_classes,
                    workers=names,
                    method="auto",
                    reliability=reliability,
                    smoothing=self.smoothing,
                    ties=self.ties,
                    ignore_index=ignore_index,
                )
                scores.append(mean_iou(result.labels, truth, n_classes, ignore_index))
            difference = scores[0] - scores[1]
            differences.append(difference)
            self._by_voter.setdefault(companions, []).append(difference)
        self.gains.append(float(np.mean(differences)))
        if self.smoothing is None:
            names = [workers[index] for index in voters]
            self._sides.ask(masks[voters], names, n_classes, ignore_index)

    def _estimate_without(self, workers: tuple[str, ...]) -> Estimate:
        if workers not in self._without:
            self._without[workers] = self.reliability.without(*workers).estimate()
        return self._without[workers]

    def choice(self) -> Choice:
        """Weigh the evidence."""
        estimate, gains = self.estimate, np.array(self.gains)
        better = sum(float(np.mean(own)) > 0 for own in self._by_voter.values())
        gain = error = math.nan
        if len(gains) >= MIN_IMAGES:
            gain = float(gains.mean())
            error = float(gains.std(ddof=1) / math.sqrt(len(gains)))
        held_out = len(self._by_voter)
        helps = gain > STANDARD_ERRORS * error
        weighted = (
            helps and 2 * better > held_out and not estimate.contested and not estimate.spared
        )
        smooths = not self._sides.takes_sides(weighted)
        reason = self._reason(weighted, helps, better)
        if not smooths:
            reason += "; without smoothing, which would move the consensus from most to a few"
        figures = (len(gains), reason, held_out, better, smooths)
        return Choice(weighted, estimate, gain, error, *figures)

    def _reason(self, weighted: bool, helps: bool, better: int) -> str:
        estimate, held_out = self.estimate, len(self._by_voter)
        if weighted:
            reason = (
                f"votes weighted by reliability: {better} of {held_out} workers, held out, are "
                f"predicted better so"
            )
        elif estimate.contested:
            reason = (
                f"plain majority: {', '.join(sorted(estimate.contested))} agree with nobody, but "
                f"are half of the workers, and nothing here tells which half is wrong"
            )
        elif estimate.spared:
            reason = "plain majority: some workers disagree with most, and may be right"
        elif len(self.gains) < MIN_IMAGES:
            reason = (
                f"plain majority: {len(self.gains)} images have votes of {MIN_LEFT + 1} usable "
                f"workers, and {MIN_IMAGES} are needed to tell whether weighting them helps"
            )
        elif helps:
            reason = (
                f"plain majority: weighting workers would have helped only {better} of {held_out}"
            )
        else:
            reason = "plain majority: weighting workers would not have helped"
        junk = ", ".join(sorted(estimate.junk))
        return reason + (f"; without the votes of {junk}, who agree with nobody" if junk else "")


def sampled(n: int, most: int = SAMPLE) -> list[int]:
    """At most `most` of n places, evenly spaced.

    Examples
    --------
    >>> sampled(5, 3), sampled(2, 3)
    ([0, 2, 4], [0, 1])
    """
    if n <= most:
        return list(range(n))
    return [int(index) for index in np.rint(np.linspace(0, n - 1, most))]

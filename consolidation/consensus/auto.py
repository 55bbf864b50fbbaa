"""`auto`: the choice of method for a job, made on the job itself, without truth.

The base is plurality with light smoothing (sigma 1) and ties by neighbours: on every real set
tried it was as good as plain plurality or better. Over a job,

- workers who are plainly junk (see `quality.JUNK`) get no vote;
- the others' votes are weighted by reliability only if that shows to predict better. Each worker
  in turn is held out of the whole job, reliability is learnt from the rest, and the masks that
  worker made of the sampled images are predicted with weights and without. Weights are switched
  on if the mean over images of the difference in mean IoU exceeds twice its standard error.

Only images with four votes or more are asked, so that three remain: with two left, every
disagreement is a tie, and the test would reward whatever breaks ties best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.consolidate import consolidate
from consolidation.consensus.overlap import mean_of_present, overlap_iou
from consolidation.consensus.quality import Estimate
from consolidation.consensus.reliability import Reliability
from consolidation.kernels import pairs

SAMPLE = 32
"""Most images on which the choice is made."""
MIN_IMAGES = 8
"""Fewer tell nothing about the error of their mean."""
MIN_LEFT = 3
"""Workers that must remain when one is held out."""
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Choice:
    """What `auto` chose for a job, and why.

    Attributes
    ----------
    weighted : bool
        Whether votes are weighted by reliability.
    estimate : Estimate
        Reliability of the workers.
    gain, error : float
        Mean difference in mean IoU of predicting held-out workers with weights, and its standard
        error; NaN where too few images could be asked.
    images : int
        Images asked.
    reason : str
        One sentence.
    """

    weighted: bool
    estimate: Estimate
    gain: float
    error: float
    images: int
    reason: str

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) of workers in an image: 0 for junk, else by reliability or all 1."""
        weights = self.estimate.weights(workers)
        return weights if self.weighted else (weights > 0).astype(np.float64)

    @classmethod
    def of(cls, estimate: Estimate, told: Mapping[str, Any]) -> Choice:
        """Inverse of `as_dict`, with the reliability of the workers."""
        gain, error = (
            math.nan if told[name] is None else told[name] for name in ("gain", "standard_error")
        )
        return cls(told["weighted"], estimate, gain, error, told["images"], told["reason"])

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "weighted": self.weighted,
            "reason": self.reason,
            "gain": None if math.isnan(self.gain) else round(self.gain, 6),
            "standard_error": None if math.isnan(self.error) else round(self.error, 6),
            "images": self.images,
            "junk": sorted(self.estimate.junk),
        }


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
        self._without: dict[str, Estimate] = {}
        self.gains: list[float] = []

    def suits(self, workers: Sequence[str]) -> bool:
        """Whether an image by these workers can be asked."""
        return sum(worker not in self.estimate.junk for worker in workers) > MIN_LEFT

    def ask(
        self,
        masks: NDArray[Any],
        workers: Sequence[str],
        n_classes: int,
        ignore_index: int | None = None,
    ) -> None:
        """Predict each worker's mask of one image (W, H, Wd) with weights and without."""
        kept = [index for index, w in enumerate(workers) if w not in self.estimate.junk]
        differences = []
        for held in kept:
            rest = [index for index in kept if index != held]
            names = [workers[index] for index in rest]
            weights = self._estimate_without(workers[held]).weights(names)
            # whoever is junk to the others' eyes alone stays in both predictions
            learnt = _Fixed(np.maximum(weights, 1e-9))
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
                scores.append(_mean_iou(result.labels, truth, n_classes, ignore_index))
            differences.append(scores[0] - scores[1])
        self.gains.append(float(np.mean(differences)))

    def _estimate_without(self, worker: str) -> Estimate:
        if worker not in self._without:
            self._without[worker] = self.reliability.without(worker).estimate()
        return self._without[worker]

    def choice(self) -> Choice:
        """Weigh the evidence."""
        gains = np.array(self.gains)
        junk = ", ".join(sorted(self.estimate.junk))
        without = f"; without the votes of {junk}, who agree with nobody" if junk else ""
        if len(gains) < MIN_IMAGES:
            reason = (
                f"votes that all count the same: {len(gains)} images have votes of {MIN_LEFT + 1} "
                f"usable workers, {MIN_IMAGES} are needed to test weights"
            )
            nan = math.nan
            return Choice(False, self.estimate, nan, nan, len(gains), reason + without)
        gain = float(gains.mean())
        error = float(gains.std(ddof=1) / math.sqrt(len(gains)))
        weighted = gain > STANDARD_ERRORS * error
        chosen = "votes weighted by reliability" if weighted else "votes that all count the same"
        outcome = "gain" if gain >= 0 else "loss"
        needed = "more" if weighted else "not more"
        reason = (
            f"{chosen}: by weights held-out workers are predicted with a {outcome} of "
            f"{abs(gain):.4f} mean IoU, {needed} than twice its standard error of {error:.4f}"
        )
        return Choice(weighted, self.estimate, gain, error, len(gains), reason + without)


@dataclass(frozen=True)
class _Fixed:
    """Weights that are what they are."""

    values: NDArray[np.float64]

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        return self.values


def sampled(n: int, most: int = SAMPLE) -> list[int]:
    """At most `most` of n places, evenly spaced.

    Examples
    --------
    >>> sampled(5, 3), sampled(2, 3)
    ([0, 2, 4], [0, 1])
    """
    if n <= most:
        return list(range(n))
    return [int(place) for place in np.rint(np.linspace(0, n - 1, most))]


def _mean_iou(
    labels: NDArray[Any], truth: NDArray[Any], n_classes: int, ignore: int | None
) -> float:
    sums = np.zeros((3, n_classes), np.int64)
    outside = -1 if ignore is None else ignore
    pairs.overlap(truth.reshape(-1), labels.reshape(-1), outside, outside, sums)
    mean = mean_of_present(overlap_iou(sums))
    return 1.0 if math.isnan(mean) else mean

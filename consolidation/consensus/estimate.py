"""What is known about a job's workers, and the weight it gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.independence import Group

POWER = 4
"""Weight = quality to this power. On real crowds 2 to 16 differ by less than their error."""
MIN_HEADS = 3
"""Independent voters of an image below which its groups are left alone: of two heads that differ
none can be called right, and counting every answer is what plurality does."""


@dataclass(frozen=True)
class Estimate:
    """Reliability of workers.

    Attributes
    ----------
    quality : dict of worker to float
        Shrunk agreement with the co-workers, 0 to 1.
    level : dict of worker to float
        Mean quality of those the worker shared images with.
    junk : frozenset of str
        Workers plainly not doing the task; always a minority.
    mean : float
        Quality of a worker nothing is known about.
    rounds : int
    converged : bool
    error : dict of worker to float
        Standard error of the quality; NaN for who shared fewer than two images that tell.
    images : dict of worker to int
        Images that the error is from.
    groups : tuple of Group
        Workers who are not independent; each group is one voter.
    spared : dict of worker to str
        Who agrees with the others as little as junk does, but may be right; and why.
    contested : frozenset of str
        Who would be junk if they were not half of the workers.
    """

    quality: Mapping[str, float]
    level: Mapping[str, float]
    junk: frozenset[str]
    mean: float
    rounds: int
    converged: bool
    error: Mapping[str, float] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    spared: Mapping[str, str] = field(default_factory=dict)
    contested: frozenset[str] = frozenset()

    def interval(self, worker: str) -> tuple[float, float]:
        """95 % interval of a worker's quality, by Student's t, within 0 to 1; NaN if unknown."""
        from scipy.special import stdtrit

        error = self.error.get(worker, math.nan)
        if math.isnan(error):
            return math.nan, math.nan
        reach = float(stdtrit(self.images[worker] - 1, 0.975)) * error
        quality = self.quality[worker]
        return max(quality - reach, 0.0), min(quality + reach, 1.0)

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) for these workers of an image: quality to the fourth power.

        0 for junk, and for all but the best of a group that is one voter. If all of them are
        junk, they weigh the same.
        """
        quality = np.array([self.quality.get(worker, self.mean) for worker in workers])
        weights = np.maximum(quality, 1e-3) ** POWER
        weights[~self.voting(workers)] = 0.0
        return weights / weights.max() if weights.any() else np.ones(len(workers))

    def voting(self, workers: Sequence[str]) -> NDArray[np.bool_]:
        """(W,) bool: who of these votes, no junk and one of each group.

        Where fewer than `MIN_HEADS` voters would be left, all of a group vote.
        """
        heads = self.heads(workers)
        if int(heads.sum()) >= MIN_HEADS or not self.groups:
            return heads
        return np.array([worker not in self.junk for worker in workers], np.bool_)

    def heads(self, workers: Sequence[str]) -> NDArray[np.bool_]:
        """(W,) bool: independent workers of these who are no junk; of a group, the best."""
        best: dict[Group | str, str] = {}
        for worker in sorted(worker for worker in workers if worker not in self.junk):
            head = self._group.get(worker, worker)
            if head not in best or self._rank(worker) > self._rank(best[head]):
                best[head] = worker
        chosen = set(best.values())
        return np.array([worker in chosen for worker in workers], np.bool_)

    def named(self) -> dict[str, Any]:
        """Whom it distrusts, or does not count for more than one, JSON-ready."""
        return {
            "junk": sorted(self.junk),
            "contested": sorted(self.contested),
            "spared": dict(sorted(self.spared.items())),
            "not_independent": [group._asdict() for group in self.groups],
        }

    def findings(self) -> list[str]:
        """One sentence for every group, and for whoever agrees with few, with the evidence."""
        workers = sorted({*self.junk, *self.contested, *self.spared})
        return [
            *(group.sentence() for group in self.groups),
            *(self._disagreement(worker) for worker in workers),
        ]

    def note(self, worker: str) -> str:
        """What `findings` says of one worker; empty for most."""
        group = self._group.get(worker)
        said = ("" if group is None else group.sentence(), self._disagreement(worker))
        return "; ".join(sentence for sentence in said if sentence)

    def _disagreement(self, worker: str) -> str:
        low = worker in self.junk or worker in self.contested
        return self._low(worker) if low else self.spared.get(worker, "")

    def _low(self, worker: str) -> str:
        share = f"{self.quality[worker]:.2f} where the others reach {self.level[worker]:.2f}"
        counted = "no vote is" if worker in self.junk else "the votes are"
        return f"{worker} agrees with nobody ({share}): {counted} counted"

    def _rank(self, worker: str) -> float:
        return self.quality.get(worker, self.mean)

    def companions(self, worker: str) -> tuple[str, ...]:
        """Return the worker, then all who are not independent of that one, sorted."""
        group = self._group.get(worker)
        others = () if group is None else tuple(w for w in group.workers if w != worker)
        return (worker, *others)

    @cached_property
    def _group(self) -> dict[str, Group]:
        return {worker: group for group in self.groups for worker in group.workers}

"""How one image is to be decided: the vote's settings, checked once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.dawid_skene import DEFAULT_STEPS
from consolidation.consensus.methods import METHODS, MethodSpec, method_spec
from consolidation.consensus.smoothing import MAX_SIGMA
from consolidation.consensus.stack import Stack, check_index

TIES = ("lowest", "neighbours", "undecided")
FINE_SUM = 1 << 40
"""Weights are rounded to integers of this sum, or just below: their sums are then exact."""
MIN_SIGMA = 0.1


@dataclass(frozen=True)
class Settings:
    """Everything that decides a vote, apart from the masks; see `consolidate`."""

    method: str = "plurality"
    weights: tuple[float, ...] | None = None
    smoothing: float = 0.0
    ties: str = "lowest"
    undecided: int = 255
    min_votes: int = 1
    steps: int = DEFAULT_STEPS
    """Steps of expectation-maximisation."""
    pooled: NDArray[np.float64] | None = None
    """Workers' confusion matrices (W, K, K) pooled over a job."""
    background: bool = True
    """Whether class 0 is background, of which an image's confidence does not speak."""
    learnt: bool = False
    """Whether the weights were learnt from the votes, not given by somebody who knows."""
    foreground: float | None = None
    """Share of the vote that makes a pixel foreground, learnt from gold; None: the vote decides."""

    @classmethod
    def checked(
        cls,
        stack: Stack,
        *,
        method: str,
        weights: Sequence[float] | NDArray[Any] | None,
        learnt: bool,
        steps: int,
        smoothing: float,
        ties: str,
        undecided_index: int | None,
        min_votes: int,
    ) -> Settings:
        """Settings for these masks; ValueError names what is wrong."""
        spec = method_spec(method)
        if ties not in TIES:
            raise ValueError(f"ties must be one of {', '.join(TIES)}, not {ties!r}")
        if smoothing != 0 and not MIN_SIGMA <= smoothing <= MAX_SIGMA:
            raise ValueError(
                f"smoothing must be 0, or {MIN_SIGMA:g} to {MAX_SIGMA:g} pixels, not {smoothing}"
            )
        if not 1 <= min_votes <= 255 or int(min_votes) != min_votes:
            raise ValueError(f"min_votes must be a whole number from 1 to 255, not {min_votes}")
        if not spec.smooths and smoothing > 0:
            raise ValueError(f"smoothing does not go with {method}, which decides by other means")
        if not 1 <= steps <= 100:
            raise ValueError(f"steps must be 1 to 100, not {steps}")
        if undecided_index is None:
            undecided_index = int(np.iinfo(stack.dtype).max)
        check_index("undecided_index", undecided_index, stack.dtype)
        # weights that somebody gives are meant: not for a method that may leave them out
        if weights is not None and not (spec.must_weigh or (learnt and spec.weighs)):
            subject = "reliability is" if learnt else "weights are"
            raise ValueError(f'{subject} for method="weighted", not for {method!r}')
        checked = None
        if weights is not None or spec.must_weigh:
            checked = checked_weights(weights, stack.n_workers)
        return cls(
            method=method,
            weights=checked,
            smoothing=float(smoothing),
            ties=ties,
            undecided=int(undecided_index),
            min_votes=int(min_votes),
            steps=int(steps),
            learnt=learnt and checked is not None,
        )

    @property
    def spec(self) -> MethodSpec:
        """What the method needs and does."""
        return METHODS[self.method]

    @property
    def by_neighbours(self) -> bool:
        """Whether neighbours' votes are asked."""
        return self.smoothing > 0 or (self.ties == "neighbours" and self.spec.smooths)

    def integer_weights(self, n_workers: int, total: int = FINE_SUM) -> NDArray[np.int64]:
        """Fixed-point weights (W,), at least 1, of sum `total` at most; all 1 without weights."""
        if self.weights is None:
            return np.ones(n_workers, np.int64)
        weights = np.array(self.weights)
        # every weight may be rounded up, or raised to 1
        scale = (total - n_workers) / math.fsum(self.weights)
        fixed: NDArray[np.int64] = np.maximum(np.rint(weights * scale), 1).astype(np.int64)
        return fixed

    def slack(self, n_workers: int) -> int:
        """By how much sums of fine weights may differ and still be a tie: their rounding."""
        return 0 if self.weights is None else n_workers

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready parameters for provenance."""
        parameters: dict[str, Any] = {"ties": self.ties, "min_votes": self.min_votes}
        if self.spec.learns_confusion:
            parameters["pooled"] = self.pooled is not None
        else:
            parameters["smoothing"] = self.smoothing
        if self.foreground is not None:
            parameters["foreground"] = self.foreground
        if self.weights is not None:
            parameters["weights"] = [round(weight, 6) for weight in self.weights]
        return parameters


def checked_weights(
    weights: Sequence[float] | NDArray[Any] | None, n_workers: int
) -> tuple[float, ...]:
    """Weights as floats; ValueError unless one a worker, finite, >= 0 and not all 0."""
    if weights is None:
        raise ValueError('method="weighted" needs weights, one a mask, or reliability')
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (n_workers,):
        raise ValueError(f"weights have shape {array.shape}, there are {n_workers} masks")
    if not np.isfinite(array).all() or (array < 0).any() or not (array > 0).any():
        raise ValueError(f"weights must be finite, >= 0 and not all 0: {array.tolist()}")
    # only ratios matter; their sum must be neither infinite nor lost
    return tuple((array / array.max()).tolist())

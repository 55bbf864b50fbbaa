"""What `auto` chose for a job, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.estimate import Estimate
from consolidation.text import rounded


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
        Mean difference in mean IoU of predicting held-out voters with weights, and its standard
        error; NaN where too few images could be asked.
    images : int
        Images asked.
    reason : str
        One sentence.
    held_out, better : int
        Voters who were held out, and those of them whom weights predicted better.
    smooths : bool
        Whether neighbours' votes are added at disputed pixels, unless told otherwise.
    """

    weighted: bool
    estimate: Estimate
    gain: float
    error: float
    images: int
    reason: str
    held_out: int = 0
    better: int = 0
    smooths: bool = True

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) of workers in an image: 0 for who has no vote, else by reliability or 1."""
        weights = self.estimate.weights(workers)
        return weights if self.weighted else (weights > 0).astype(np.float64)

    @classmethod
    def of(cls, estimate: Estimate, record: Mapping[str, Any]) -> Choice:
        """Inverse of `as_dict`, with the reliability of the workers."""
        gain, error = (
            math.nan if record[name] is None else record[name]
            for name in ("gain", "standard_error")
        )
        counts = (record["held_out"], record["better"], record["smooths"])
        return cls(
            record["weighted"], estimate, gain, error, record["images"], record["reason"], *counts
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "weighted": self.weighted,
            "reason": self.reason,
            "gain": rounded(self.gain),
            "standard_error": rounded(self.error),
            "images": self.images,
            "held_out": self.held_out,
            "better": self.better,
            "smooths": self.smooths,
            **self.estimate.named(),
        }

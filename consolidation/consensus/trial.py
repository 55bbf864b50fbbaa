"""Parts of the tests by which `auto` chooses: weights that are what they are, and a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.overlap import mean_of_present, overlap_iou
from consolidation.kernels import pairs

MIN_IMAGES = 8
"""Fewer tell nothing about the error of their mean."""
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Fixed:
    """Weights that are what they are."""

    values: NDArray[np.float64]

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Return them, whoever the workers are."""
        return self.values


def mean_iou(
    labels: NDArray[Any], truth: NDArray[Any], n_classes: int, ignore: int | None
) -> float:
    """Mean IoU of two masks over the classes in either; 1 if both have none."""
    sums = np.zeros((3, n_classes), np.int64)
    outside = -1 if ignore is None else ignore
    pairs.overlap(truth.reshape(-1), labels.reshape(-1), outside, outside, sums)
    mean = mean_of_present(overlap_iou(sums))
    return 1.0 if math.isnan(mean) else mean

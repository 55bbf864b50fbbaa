"""Mean IoU of many predictions, and paired differences with their standard errors.

The unit of every mean and of every standard error is the image: an image's scores (one a held-out
worker, or one a seed) are averaged first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.evaluation.scores import mean_iou


class Difference(NamedTuple):
    """Mean paired difference over images, its standard error, and what it rests on."""

    mean: float
    error: float
    images: int
    pairs: int

    @property
    def margin(self) -> float:
        """How far above "within one standard error"."""
        return self.mean + self.error


@dataclass
class Scores:
    """mIoU by method, image and case (held-out worker or seed)."""

    values: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)

    def add(
        self, method: str, image: str, case: str, labels: NDArray[Any], judge: NDArray[Any]
    ) -> None:
        """Score one prediction (H, Wd) against the mask that judges it."""
        own = self.values.setdefault(method, {})
        assert (image, case) not in own, (method, image, case)
        own[image, case] = mean_iou(labels, judge)

    def mean(self, method: str) -> float:
        """Mean over images of a method's mIoU."""
        by_image = _by_image(self.values[method])
        return float(np.mean([np.mean(values) for values in by_image.values()]))

    def difference(self, method: str, base: str) -> Difference:
        """A method minus another one on the cases that both have."""
        first, second = self.values[method], self.values[base]
        both = {key: first[key] - second[key] for key in first if key in second}
        means = np.array([np.mean(values) for values in _by_image(both).values()])
        error = means.std(ddof=1) / math.sqrt(len(means)) if len(means) > 1 else math.nan
        return Difference(float(means.mean()), float(error), len(means), len(both))


def _by_image(values: dict[tuple[str, str], float]) -> dict[str, list[float]]:
    groups: dict[str, list[float]] = {}
    for (image, _), value in values.items():
        groups.setdefault(image, []).append(value)
    return groups

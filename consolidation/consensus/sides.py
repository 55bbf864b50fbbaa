"""Whether smoothing takes sides in a job: see `consolidation.consensus.auto`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.consolidate import consolidate
from consolidation.consensus.estimate import Estimate
from consolidation.consensus.trial import MIN_IMAGES, STANDARD_ERRORS, Fixed, mean_iou

TAKES_SIDES = 0.003
"""Loss in mean IoU of an image's middle worker from which smoothing can be said to take sides."""
UNEVEN = 1.4
"""And how many times the mean worker's that is. On honest crowds who lose so much it is 1.0 to 1.2;
beside two who box, shift, dilate or leave out, 1.4 to 4.1."""


class SmoothingTrial:
    """How workers' masks agree with the consensus, smoothed and not, image by image.

    Parameters
    ----------
    estimate : Estimate
        Reliability of the job's workers.
    ties : as for `consolidate`
    """

    def __init__(self, estimate: Estimate, ties: str | None) -> None:
        self._estimate, self._ties = estimate, ties
        self._smoothed: dict[bool, list[list[float]]] = {False: [], True: []}

    def ask(
        self, masks: NDArray[Any], workers: list[str], n_classes: int, ignore_index: int | None
    ) -> None:
        """Compare each voter with the consensus, smoothed and not, with weights and without."""
        weights = Fixed(self._estimate.weights(workers))
        for weighted, reliability in ((False, None), (True, weights)):
            smoothed, plain = (
                consolidate(
                    masks,
                    n_classes=n_classes,
                    workers=workers,
                    method="auto",
                    reliability=reliability,
                    smoothing=smoothing,
                    ties=self._ties,
                    ignore_index=ignore_index,
                ).labels
                for smoothing in (None, 0.0)
            )
            self._smoothed[weighted].append(
                [
                    mean_iou(smoothed, mask, n_classes, ignore_index)
                    - mean_iou(plain, mask, n_classes, ignore_index)
                    for mask in masks
                ]
            )

    def takes_sides(self, weighted: bool) -> bool:
        """Whether smoothing costs most workers much, and serves somebody."""
        images = self._smoothed[weighted]
        if len(images) < MIN_IMAGES:
            return False
        middle = float(np.mean([np.median(own) for own in images]))
        mean = float(np.mean([np.mean(own) for own in images]))
        most = np.array([max(own) for own in images])
        error = float(most.std(ddof=1)) / math.sqrt(len(most))
        serves = float(most.mean()) > STANDARD_ERRORS * error
        return serves and middle < -TAKES_SIDES and middle < UNEVEN * mean

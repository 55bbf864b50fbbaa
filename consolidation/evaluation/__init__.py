"""Scores against a known truth: arrays against arrays."""

from __future__ import annotations

from consolidation.evaluation.boundary import boundary_agreement, boundary_f1
from consolidation.evaluation.calibration import ConfidenceCounts, expected_calibration_error
from consolidation.evaluation.diagram import reliability_diagram
from consolidation.evaluation.evaluate import evaluate_masks
from consolidation.evaluation.evaluation import Evaluation, ImageScore
from consolidation.evaluation.scores import class_dice, class_iou, confusion_matrix, mean_iou

__all__ = [
    "ConfidenceCounts",
    "Evaluation",
    "ImageScore",
    "boundary_agreement",
    "boundary_f1",
    "class_dice",
    "class_iou",
    "confusion_matrix",
    "evaluate_masks",
    "expected_calibration_error",
    "mean_iou",
    "reliability_diagram",
]

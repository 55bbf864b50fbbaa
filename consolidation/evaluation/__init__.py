"""Scores against a known truth, and simulated jobs whose truth is known."""

from __future__ import annotations

from consolidation.evaluation.boundary import boundary_agreement, boundary_f1
from consolidation.evaluation.calibration import ConfidenceCounts, expected_calibration_error
from consolidation.evaluation.class_names import class_table, read_class_names
from consolidation.evaluation.diagram import reliability_diagram
from consolidation.evaluation.evaluate import evaluate_folders, evaluate_masks
from consolidation.evaluation.evaluation import Evaluation, ImageScore
from consolidation.evaluation.folders import MaskFolder, find_masks, read_mask
from consolidation.evaluation.scores import class_dice, class_iou, confusion_matrix, mean_iou
from consolidation.evaluation.simulate import simulate_job
from consolidation.evaluation.simulated_job import SimulatedJob
from consolidation.evaluation.worker_kinds import KINDS

__all__ = [
    "KINDS",
    "ConfidenceCounts",
    "Evaluation",
    "ImageScore",
    "MaskFolder",
    "SimulatedJob",
    "boundary_agreement",
    "boundary_f1",
    "class_dice",
    "class_iou",
    "class_table",
    "confusion_matrix",
    "evaluate_folders",
    "evaluate_masks",
    "expected_calibration_error",
    "find_masks",
    "mean_iou",
    "read_class_names",
    "read_mask",
    "reliability_diagram",
    "simulate_job",
]

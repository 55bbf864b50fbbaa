"""Arrays in, consensus and confidence out. Knows nothing of images, clouds or the wire."""

from consolidation.consensus.agreement import Agreement, AgreementSums, krippendorff_alpha
from consolidation.consensus.auto import Trial, sampled
from consolidation.consensus.calibration import Calibration
from consolidation.consensus.choice import Choice
from consolidation.consensus.consolidate import LearntWeights, consolidate
from consolidation.consensus.estimate import Estimate
from consolidation.consensus.methods import METHODS, MethodSpec, method_spec
from consolidation.consensus.overlap import WorkerAgreement, mean_of_present, overlap_iou
from consolidation.consensus.patterns import VotePatterns
from consolidation.consensus.regions import Region
from consolidation.consensus.reliability import Reliability
from consolidation.consensus.result import Consensus
from consolidation.consensus.worker_confusion import WorkerConfusion

__all__ = [
    "METHODS",
    "Agreement",
    "AgreementSums",
    "Calibration",
    "Choice",
    "Consensus",
    "Estimate",
    "LearntWeights",
    "MethodSpec",
    "Region",
    "Reliability",
    "Trial",
    "VotePatterns",
    "WorkerAgreement",
    "WorkerConfusion",
    "consolidate",
    "krippendorff_alpha",
    "mean_of_present",
    "method_spec",
    "overlap_iou",
    "sampled",
]

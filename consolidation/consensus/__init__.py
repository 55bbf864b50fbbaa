"""Arrays in, consensus and confidence out. Knows nothing of images, clouds or the wire."""

from consolidation.consensus.consolidate import consolidate
from consolidation.consensus.patterns import VotePatterns
from consolidation.consensus.result import Consensus, WorkerAgreement, class_iou

__all__ = ["Consensus", "VotePatterns", "WorkerAgreement", "class_iou", "consolidate"]

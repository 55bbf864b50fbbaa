"""What a run looks like: the HTML report, and one annotated picture of an image."""

from consolidation.report.card import Card, show
from consolidation.report.content import (
    CalibrationBin,
    Region,
    Report,
    ReportImage,
    ReportWorker,
)
from consolidation.report.page import render, with_reliability
from consolidation.report.pictures import open_picture, small_jpeg
from consolidation.report.snapshot import SIDE, Snapshot, take

__all__ = [
    "SIDE",
    "CalibrationBin",
    "Card",
    "Region",
    "Report",
    "ReportImage",
    "ReportWorker",
    "Snapshot",
    "open_picture",
    "render",
    "show",
    "small_jpeg",
    "take",
    "with_reliability",
]

"""CVAT: "CVAT for images" (XML), and "Segmentation mask 1.1" (pictures and a list of colours)."""

from consolidation.formats.cvat.masks import SegmentationMasks
from consolidation.formats.cvat.source import CvatImages

__all__ = ["CvatImages", "SegmentationMasks"]

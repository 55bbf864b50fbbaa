"""COCO: polygons and run lengths in JSON, and panoptic pictures."""

from consolidation.formats.coco.source import Coco

__all__ = ["Coco"]

"""Volumes and stacks (NIfTI, TIFF, NumPy): a slice is an object of the vote."""

from consolidation.formats.volumes.source import Volumes

__all__ = ["Volumes"]

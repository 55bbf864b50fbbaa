"""Label Studio: what it exports as JSON, JSON-MIN, or brushes as pictures."""

from consolidation.formats.label_studio.brush_files import BrushFiles
from consolidation.formats.label_studio.source import LabelStudio

__all__ = ["BrushFiles", "LabelStudio"]

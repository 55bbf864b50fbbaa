"""What trainers and painting tools read, written of a finished run. A new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from consolidation.formats.exporters.coco import Coco
from consolidation.formats.exporters.cvat import Cvat
from consolidation.formats.exporters.exporter import (
    IGNORED,
    PICTURES,
    SPLITS,
    TRAIN,
    VALIDATION,
    Export,
    ExportClasses,
    Exporter,
    Image,
    Picture,
)
from consolidation.formats.exporters.hugging_face import HuggingFace
from consolidation.formats.exporters.index_png import Cityscapes, MMSegmentation, PascalVoc
from consolidation.formats.exporters.label_studio import LabelStudio
from consolidation.formats.exporters.nnunet import NnUNet
from consolidation.formats.exporters.panoptic import Panoptic

EXPORTERS: Mapping[str, type[Exporter]] = {
    one.name: one
    for one in (
        *(MMSegmentation, PascalVoc, Cityscapes, NnUNet),
        *(HuggingFace, Coco, Panoptic, LabelStudio, Cvat),
    )
}
"""By what ``--to`` calls them."""

__all__ = [
    "EXPORTERS",
    "IGNORED",
    "PICTURES",
    "SPLITS",
    "TRAIN",
    "VALIDATION",
    "Export",
    "ExportClasses",
    "Exporter",
    "Image",
    "Picture",
]

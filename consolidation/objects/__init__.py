"""One object: its annotations become masks of one size, a consensus, and a mask PNG.

The Lambda, a whole job and a labeling job of one's own all take this road. What an annotation is
stands here; what tools write their annotations in stands in `consolidation.formats`.
"""

from consolidation.objects.answers import Answer, LoadedAnswer, PictureAnswer, WorkerAnswer, by
from consolidation.objects.foreign import Unknown, foreign_answer
from consolidation.objects.index_mask import BlankMask, IndexMask, MaskFile
from consolidation.objects.mask_class import MaskClass, MaskLabel
from consolidation.objects.pipeline import ObjectResult, consolidate_object
from consolidation.objects.prepare import (
    AnswerWarning,
    LabeledObject,
    MaskBuffer,
    PreparedObject,
    ignore_index,
    prepare_object,
)

__all__ = [
    "Answer",
    "AnswerWarning",
    "BlankMask",
    "IndexMask",
    "LabeledObject",
    "LoadedAnswer",
    "MaskBuffer",
    "MaskClass",
    "MaskFile",
    "MaskLabel",
    "ObjectResult",
    "PictureAnswer",
    "PreparedObject",
    "Unknown",
    "WorkerAnswer",
    "by",
    "consolidate_object",
    "foreign_answer",
    "ignore_index",
    "prepare_object",
]

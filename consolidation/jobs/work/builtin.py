"""How our mask compares with the one that Ground Truth's own consolidation made."""

from __future__ import annotations

import numpy as np

from consolidation import storage
from consolidation.errors import ObjectError
from consolidation.evaluation import class_iou, confusion_matrix
from consolidation.jobs.folder.records import BuiltinAgreement
from consolidation.masks import Classes, decode_indices
from consolidation.objects import MaskLabel
from consolidation.objects.answers import by
from consolidation.objects.pipeline import ObjectResult


def compare_with_builtin(
    result: ObjectResult, label: MaskLabel, classes: Classes, max_pixels: int
) -> BuiltinAgreement:
    """Compare class by class, by name.

    Raises
    ------
    ConsolidationError
        If the built-in's mask is not there, cannot be read or has another size.
    """
    if not label.mask_uri:
        raise ObjectError("it is missing in this copy of the job")
    theirs = decode_indices(storage.read_bytes(label.mask_uri), max_pixels)
    ours = result.consensus.labels
    if theirs.shape != ours.shape:
        raise ObjectError(f"{label.mask_uri} is {by(theirs.shape)} pixels, not {by(ours.shape)}")
    # what is no class of this job, and what is undecided, is one more class that agrees with none
    k = len(classes)
    table = np.full(256, k, np.int64)
    table[0] = 0
    for mask_class in label.classes:
        index = 0 if mask_class.index == 0 else classes.index(mask_class.name)
        if index is not None and mask_class.index < 256:
            table[mask_class.index] = index
    own = np.where(ours < k, ours, k).astype(np.int64)
    counts = confusion_matrix(own, table[theirs], k + 1)
    iou = class_iou(counts)
    present = iou[~np.isnan(iou)]
    return BuiltinAgreement(float(present.mean()), float(np.trace(counts[:k, :k]) / ours.size))

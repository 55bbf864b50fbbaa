"""Images to look at again: an input manifest for a Ground Truth adjustment job."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from consolidation.formats.groundtruth.manifest import METADATA_SUFFIX, compact, mask_labels
from consolidation.masks import UNDECIDED


@dataclass(frozen=True)
class ReviewItem:
    """What the list needs to know of one image."""

    id: str
    confidence: float
    """Confidence of the image, in [0, 1]."""
    need: float
    """`Consensus.need_of_review`, in [0, 1]."""
    line: str
    """Its line of the output manifest."""


def review_manifest(items: Iterable[ReviewItem], attribute: str, below: float) -> list[str]:
    """Manifest lines of the images of confidence less than `below`, greatest need first.

    Ground Truth takes them as the input of an adjustment job: each keeps its keys, the label
    `attribute` and its metadata with the colours of the classes. The metadata does not list
    undecided pixels, for they are no label that the job could offer; the workers see them
    unpainted. Lines without a label (objects that failed) are left out: such a job refuses them.

    Parameters
    ----------
    items : iterable of ReviewItem
        In any order; those of equal need are listed by id.
    attribute : str
        Name of the label. The adjustment job needs another one for its own.
    below : float
        Only images of less confidence are listed.

    Returns
    -------
    list of str
        Lines of JSON, without newlines.
    """
    wanted = [item for item in items if item.confidence < below]
    lines = []
    for item in sorted(wanted, key=lambda item: (-item.need, item.id)):
        content: dict[str, Any] = json.loads(item.line)
        if any(label.attribute == attribute for label in mask_labels(content)):
            lines.append(_without_undecided(content, attribute))
    return lines


def _without_undecided(content: dict[str, Any], attribute: str) -> str:
    block = content[attribute + METADATA_SUFFIX]
    colors = block["internal-color-map"]
    kept = {key: entry for key, entry in colors.items() if entry["class-name"] != UNDECIDED}
    block = block | {"internal-color-map": kept}
    return compact(content | {attribute + METADATA_SUFFIX: block})

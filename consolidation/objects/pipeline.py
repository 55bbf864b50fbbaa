"""One object: workers' answers in, consensus and mask PNG out.

A local run and the Lambda both take this road.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np

from consolidation.consensus import (
    Calibration,
    Consensus,
    LearntWeights,
    WorkerConfusion,
    consolidate,
)
from consolidation.errors import ObjectError
from consolidation.masks import (
    UNDECIDED,
    UNDECIDED_INDEX,
    Classes,
    encode_grey,
    encode_indexed,
    hex_color,
    palette,
)
from consolidation.objects.answers import LoadedAnswer
from consolidation.objects.mask_class import MaskClass
from consolidation.objects.prepare import (
    AnswerWarning,
    LabeledObject,
    MaskBuffer,
    ignore_index,
    prepare_object,
)
from consolidation.options import Options


@dataclass
class ObjectResult:
    """The consensus of one object, ready to be written."""

    id: str
    consensus: Consensus
    classes: tuple[MaskClass, ...]
    adjusted: bool | None
    blank: frozenset[str] = frozenset()
    """Workers who painted nothing."""
    warnings: list[AnswerWarning] = field(default_factory=list)

    @property
    def n_workers(self) -> int:
        """Workers whose answers counted."""
        return self.consensus.n_workers

    @property
    def reported_confidence(self) -> float:
        """Confidence for the manifest: as Ground Truth, 0 where a single worker answered."""
        return round(self.consensus.image_confidence, 6) if self.n_workers > 1 else 0.0

    @cached_property
    def mask_png(self) -> bytes:
        """Mask as an 8-bit palette PNG, pixel = class index."""
        colors = {entry.index: entry.color for entry in self.classes}
        undecided = colors.pop(UNDECIDED_INDEX, None) if self.has_undecided else None
        table = palette([colors[index] for index in sorted(colors)], undecided)
        labels = self.consensus.labels
        return encode_indexed(labels.astype(np.uint8, copy=False), table)

    @property
    def has_undecided(self) -> bool:
        """Whether any pixel is undecided."""
        return any(entry.name == UNDECIDED for entry in self.classes)

    def confidence_png(self) -> bytes:
        """Confidence as an 8-bit grey PNG, value = round(255 c)."""
        consensus = self.consensus
        height, width = consensus.labels.shape
        levels = consensus.confidence_levels
        if levels is None:
            return encode_grey((height, width), consensus.confidence_bytes)
        return encode_grey((height, width), consensus.votes.__getitem__, levels)


def consolidate_object(
    obj: LabeledObject,
    classes: Classes,
    options: Options,
    reliability: LearntWeights | WorkerConfusion | None = None,
    buffer: MaskBuffer | None = None,
    calibration: Calibration | None = None,
) -> ObjectResult:
    """Consolidate the answers to one object, with weights learnt over the job if there are any.

    With a buffer, the result's lazy fields hold until the buffer is used for the next object. With
    a calibration, every confidence is mapped by it.

    Raises
    ------
    ObjectError
        As `prepare_object`, or if undecided pixels find no free index.
    """
    prepared = prepare_object(obj, classes, options, buffer)
    ignore = ignore_index(classes)
    try:
        consensus = consolidate(
            prepared.masks,
            n_classes=len(classes),
            method=options.method,
            workers=prepared.workers,
            reliability=reliability,
            smoothing=options.sigma,
            ties=options.ties,
            min_votes=options.min_votes,
            ignore_index=ignore,
            undecided_index=ignore,
            calibration=calibration,
            background=classes.has_background,
            void=prepared.void,
        )
    except ValueError as error:
        raise ObjectError(str(error)) from None
    return ObjectResult(
        id=obj.id,
        consensus=consensus,
        classes=_mask_classes(consensus, classes, prepared.answers),
        adjusted=_adjusted(prepared.answers),
        blank=prepared.blank if classes.has_background else frozenset(),
        warnings=[*prepared.warnings, *(AnswerWarning("", text) for text in consensus.warnings)],
    )


def _mask_classes(
    consensus: Consensus, classes: Classes, answers: Sequence[LoadedAnswer]
) -> tuple[MaskClass, ...]:
    """Classes with the colours that workers saw, and UNDECIDED where a pixel is."""
    seen = tuple(tuple(answer.colors.items()) for answer in answers)
    colors = _class_colors(seen, classes.names, tuple(classes.colors.items()))
    listed = [
        MaskClass(index, name, color)
        for index, (name, color) in enumerate(zip(classes.names, colors, strict=True))
    ]
    undecided = consensus.n_undecided
    if undecided:
        if len(classes) > UNDECIDED_INDEX:
            raise ObjectError(
                f"{undecided:,} pixels are undecided, and {len(classes) - 1} classes leave no "
                "index for them in an 8-bit mask"
            )
        listed.append(MaskClass(UNDECIDED_INDEX, UNDECIDED, classes.undecided_color(colors)))
    return tuple(listed)


@lru_cache(maxsize=256)
def _class_colors(
    seen: tuple[tuple[tuple[str, tuple[int, int, int]], ...], ...],
    names: tuple[str, ...],
    colors: tuple[tuple[int, str], ...],
) -> tuple[str, ...]:
    """Colour of each class: what most workers saw; the images of a job mostly share them."""
    classes = Classes(names, dict(colors))
    counters: dict[int, Counter[str]] = {}
    for label, color in chain.from_iterable(seen):
        index = classes.index(label)
        if index is not None:
            counters.setdefault(index, Counter())[hex_color(color)] += 1
    preferred = {
        index: min(counter, key=lambda color: (-counter[color], color))
        for index, counter in counters.items()
    }
    return classes.hex_colors(preferred)


def _adjusted(answers: Sequence[LoadedAnswer]) -> bool | None:
    """Adjustment jobs: adjusted if any worker changed the mask."""
    flags = [answer.modified for answer in answers if answer.modified is not None]
    return any(flags) if flags else None

"""The first pass over a job: what can be learnt from all workers before any image is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from consolidation.consensus import Choice, Reliability, Trial, WorkerConfusion, sampled
from consolidation.errors import ConsolidationError
from consolidation.jobs.sources import Source
from consolidation.masks import Classes
from consolidation.options import Options
from consolidation.prepare import (
    LabeledObject,
    MaskBuffer,
    PreparedObject,
    ignore_index,
    prepare_object,
)


def learn_reliability(
    source: Source,
    classes: Classes,
    options: Options,
    known: Reliability | None = None,
    on_object: Callable[[], None] = lambda: None,
) -> tuple[Reliability, list[str]]:
    """Agreement of the workers over all objects, and the ids that had answers of several workers.

    Objects that fail are left out; they are reported when they are consolidated. `known` is what
    earlier jobs told about the same workers.
    """
    reliability = Reliability()
    if known is not None:
        reliability += known
    shared = []
    buffer = MaskBuffer()
    for obj in source.objects():
        prepared = _prepared(obj, classes, options, buffer)
        if prepared is not None and len(prepared.workers) > 1:
            reliability.add(prepared.masks, prepared.workers, ignore_index(classes))
            shared.append(obj.id)
        on_object()
    return reliability, shared


def learn_confusion(
    source: Source, classes: Classes, options: Options, on_object: Callable[[], None]
) -> WorkerConfusion:
    """Confusion matrices of the workers, pooled over all objects."""
    pooled = WorkerConfusion()
    buffer = MaskBuffer()
    for obj in source.objects():
        prepared = _prepared(obj, classes, options, buffer)
        if prepared is not None and len(prepared.workers) > 1:
            pooled.add(prepared.masks, prepared.workers, ignore_index(classes))
        on_object()
    return pooled


def choose(
    source: Source,
    classes: Classes,
    options: Options,
    reliability: Reliability,
    candidates: list[str],
    on_object: Callable[[], None] = lambda: None,
) -> Choice:
    """Test weights on a sample of the job; see `consolidation.consensus.auto`."""
    trial = Trial(reliability, smoothing=options.smoothing, ties=options.ties)
    for prepared in _suitable(source, classes, options, trial, candidates):
        trial.ask(prepared.masks, prepared.workers, len(classes), ignore_index(classes))
        on_object()
    return trial.choice()


def _suitable(
    source: Source, classes: Classes, options: Options, trial: Trial, candidates: list[str]
) -> Iterator[PreparedObject]:
    """Objects with enough usable workers, evenly spaced over the job."""
    wanted = set(candidates)
    enough = [
        obj.id
        for obj in source.objects()
        if obj.id in wanted and trial.suits([worker for worker, _ in obj.answers])
    ]
    chosen = {enough[place] for place in sampled(len(enough))}
    buffer = MaskBuffer()
    for obj in source.objects():
        if obj.id in chosen:
            prepared = _prepared(obj, classes, options, buffer)
            if prepared is not None and trial.suits(prepared.workers):
                yield prepared


def _prepared(
    obj: LabeledObject, classes: Classes, options: Options, buffer: MaskBuffer
) -> PreparedObject | None:
    try:
        return prepare_object(obj, classes, options, buffer)
    except ConsolidationError:
        return None

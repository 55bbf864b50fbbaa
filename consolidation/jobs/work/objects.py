"""What is done with each object, in whatever process: learn from it, or consolidate it."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from consolidation import storage
from consolidation.consensus import (
    Calibration,
    Consensus,
    LearntWeights,
    Reliability,
    WorkerConfusion,
)
from consolidation.errors import ConsolidationError
from consolidation.formats import SourceObject
from consolidation.formats.groundtruth import manifest_line, result_metadata
from consolidation.jobs.folder.layout import record_path, snapshot_path, statistics_path
from consolidation.jobs.folder.records import BuiltinAgreement, ImageRecord, Record, WorkerRecord
from consolidation.jobs.work.builtin import compare_with_builtin
from consolidation.masks import Classes
from consolidation.objects.pipeline import ObjectResult, consolidate_object
from consolidation.objects.prepare import (
    LabeledObject,
    MaskBuffer,
    PreparedObject,
    ignore_index,
    prepare_object,
)
from consolidation.options import Options
from consolidation.report import take

_memory = threading.local()


@dataclass(frozen=True)
class Job:
    """What every process needs to know."""

    out: str
    classes: Classes
    options: Options
    creation_date: str
    learnt: LearntWeights | WorkerConfusion | None = None
    calibration: Calibration | None = None


class Task(NamedTuple):
    """An object, and the name of its files."""

    item: SourceObject
    name: str


class Outcome(NamedTuple):
    """What came of an object."""

    id: str
    warnings: int
    need: float | None
    """Need of review; None if it failed."""


def learn_chunk(job: Job, chunk: int, items: Sequence[SourceObject]) -> int:
    """First pass over some objects: write what their workers' agreement tells; return how many."""
    path = statistics_path(job.out, chunk)
    if not storage.exists(path):
        answered, pooled = learn(job, items)
        storage.write_bytes(path, (json.dumps(answered) + "\n" + pooled.to_json()).encode())
    return len(items)


def learn(
    job: Job, items: Sequence[SourceObject]
) -> tuple[dict[str, list[str]], Reliability | WorkerConfusion]:
    """Usable workers of the objects with several, and what their agreement tells.

    Objects that fail are left out; they are reported when they are consolidated.
    """
    pooled = WorkerConfusion() if job.options.spec.learns_confusion else Reliability()
    answered = {}
    for item in items:
        prepared = prepared_or_none(job, item)
        if prepared is not None and len(prepared.workers) > 1:
            pooled.add(prepared.masks, prepared.workers, ignore_index(job.classes))
            answered[item.id] = prepared.workers
    return answered, pooled


def prepared_or_none(job: Job, item: SourceObject) -> PreparedObject | None:
    """Answers to an object, decoded; None if it fails."""
    try:
        return prepare_object(item.load(), job.classes, job.options, _buffer())
    except Exception:
        # whatever it is, it comes again when the object is consolidated, and is reported then
        return None


def consolidate_chunk(
    job: Job, tasks: Sequence[Task], snapshots_from: float = math.inf
) -> list[Outcome]:
    """Second pass: consolidate objects and write their masks and records.

    An image whose need of review is `snapshots_from` or more may be in the report: its snapshot is
    written, too.

    Raises
    ------
    StorageError
        If something cannot be written: that is no object's fault, and ends the run.
    """
    return [_consolidate(job, task, snapshots_from) for task in tasks]


def _consolidate(job: Job, task: Task, snapshots_from: float) -> Outcome:
    obj = LabeledObject(task.item.id, {})
    files: dict[str, bytes] = {}
    try:
        obj = task.item.load()
        with_what = (job.learnt, _buffer(), job.calibration)
        result = consolidate_object(obj, job.classes, job.options, *with_what)
        record = _record(job, task, obj, result, files)
        if result.consensus.need_of_review >= snapshots_from:
            files[snapshot_path(job.out, task.name)] = take(result.consensus).to_bytes()
        content = record.to_json()
    except Exception as error:
        # whatever one object did, the others are done; a defect of ours says so
        files.clear()
        record = Record(task.item.id, _unlabelled(job, obj), _reason(error))
        content = record.to_json()
    for path, data in files.items():
        storage.write_bytes(path, data)
    # after the object's own files: whoever finds the record finds them too
    encoded = content.encode("utf-8", "surrogatepass")
    storage.write_bytes(record_path(job.out, task.name), encoded)
    return Outcome(
        record.id, len(record.warnings), None if record.image is None else record.image.need
    )


def _unlabelled(job: Job, obj: LabeledObject) -> str:
    """Line of an object that failed; empty if the line is what cannot be written."""
    try:
        return manifest_line(obj.line, job.options.label_attribute, None, None)
    except Exception:
        # an object that has a line in the manifest keeps that one as it is
        return "{}"


def _record(
    job: Job, task: Task, obj: LabeledObject, result: ObjectResult, files: dict[str, bytes]
) -> Record:
    """Record of a consolidated object; adds its files' contents to `files`, by path."""
    consensus = result.consensus
    mask = f"masks/{task.name}.png"
    written = [mask]
    files[storage.join(job.out, "masks", f"{task.name}.png")] = result.mask_png
    if job.options.confidence_maps:
        written.append(f"confidence/{task.name}.png")
        name = storage.join(job.out, "confidence", f"{task.name}.png")
        files[name] = result.confidence_png()
    prefix = job.options.mask_uri_prefix or (job.out if storage.is_s3(job.out) else "")
    uri = f"{prefix.rstrip('/')}/{mask}" if prefix else mask
    block = result_metadata(result, job.creation_date, job.options.job_name)
    warnings = [(warning.worker, warning.message, warning.dropped) for warning in result.warnings]
    builtin = BuiltinAgreement()
    if obj.builtin is not None:
        try:
            builtin = compare_with_builtin(result, obj.builtin, job.classes, job.options.max_pixels)
        except ConsolidationError as error:
            warnings.append(("", f"not compared with Ground Truth's own mask: {error}", False))
    return Record(
        id=obj.id,
        line=manifest_line(obj.line, job.options.label_attribute, uri, block),
        image=ImageRecord.of(result, builtin),
        files=written,
        workers=WorkerRecord.all_of(obj, result),
        warnings=warnings,
        classes=_class_confidence(consensus),
        confusion=_confusion(consensus),
        agreement=_agreement(job, consensus),
        regions=[
            region.as_dict(job.classes.names)
            for region in consensus.regions(job.options.min_region)
        ],
    )


def _agreement(job: Job, consensus: Consensus) -> dict[str, Any] | None:
    """How workers agree with each other, for the report, where no first pass tells."""
    if not job.options.report or job.options.spec.learns_reliability:
        return None
    reliability = Reliability()
    if consensus.n_workers > 1:
        reliability.add(consensus.masks, consensus.worker_ids, consensus.no_vote)
    return reliability.as_dict()


def _confusion(consensus: Consensus) -> list[tuple[int, int, int]]:
    """Class of the consensus, class given, pixels: over all workers."""
    counts = consensus.confusion.sum(axis=0).T
    cells = zip(*(places.tolist() for places in counts.nonzero()), strict=True)
    return [(decided, label, int(counts[decided, label])) for decided, label in cells]


def _class_confidence(consensus: Consensus) -> dict[str, tuple[int, float]]:
    """Pixels and mean confidence of the classes in the consensus, by index."""
    pairs = zip(consensus.class_pixels.tolist(), consensus.class_confidence.tolist(), strict=True)
    return {str(index): pair for index, pair in enumerate(pairs) if pair[0]}


def _reason(error: Exception) -> str:
    if isinstance(error, ConsolidationError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory: {error}"
    return f"internal error: {type(error).__name__}: {error}"


def _buffer() -> MaskBuffer:
    """Memory for masks, one a thread."""
    if not hasattr(_memory, "buffer"):
        _memory.buffer = MaskBuffer()
    buffer: MaskBuffer = _memory.buffer
    return buffer

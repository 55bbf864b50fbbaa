"""What a job tells about its workers, gathered from what each chunk of it told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consolidation import storage
from consolidation.consensus import (
    Choice,
    LearntWeights,
    Reliability,
    Trial,
    WorkerConfusion,
    sampled,
)
from consolidation.formats import SourceObject
from consolidation.jobs.folder.layout import statistics_path
from consolidation.jobs.work.objects import Job, learn, prepared_or_none
from consolidation.objects.prepare import ignore_index


@dataclass
class Learnt:
    """What the first pass over a job told."""

    reliability: Reliability | None = None
    confusion: WorkerConfusion | None = None
    choice: Choice | None = None
    answered: dict[str, list[str]] = field(default_factory=dict)
    """Usable workers of each object with several."""

    @property
    def decides(self) -> LearntWeights | WorkerConfusion | None:
        """What every object is consolidated with: small enough to be sent around."""
        if self.choice is not None:
            return self.choice
        return self.confusion if self.reliability is None else self.reliability.estimate()

    def digest(self) -> str:
        """Text that changes when what was learnt does."""
        texts = [
            statistics.to_json()
            for statistics in (self.reliability, self.confusion)
            if statistics is not None
        ]
        if self.choice is not None:
            texts.append(json.dumps(self.choice.as_dict(), sort_keys=True))
        return hashlib.sha256("".join(texts).encode()).hexdigest()


def gather(job: Job, n_chunks: int, known: Reliability | None) -> Learnt:
    """Add up the statistics of all chunks, and what earlier jobs told about the same workers."""
    learnt = Learnt()
    if job.options.spec.learns_confusion:
        learnt.confusion = WorkerConfusion()
    else:
        learnt.reliability = Reliability()
        if known is not None:
            learnt.reliability += known
    for chunk in range(n_chunks):
        path = statistics_path(job.out, chunk)
        answered, _, counts = storage.read_bytes(path).partition(b"\n")
        learnt.answered.update(json.loads(answered))
        if learnt.confusion is not None:
            learnt.confusion += WorkerConfusion.from_json(counts, path)
        elif learnt.reliability is not None:
            learnt.reliability += Reliability.from_json(counts, path)
    return learnt


def learn_all(job: Job, items: Sequence[SourceObject]) -> Learnt:
    """Learn from all objects here and now; nothing is written."""
    learnt = Learnt()
    if not job.options.spec.learns:
        return learnt
    learnt.answered, pooled = learn(job, items)
    if isinstance(pooled, WorkerConfusion):
        learnt.confusion = pooled
        return learnt
    learnt.reliability = pooled
    if job.options.spec.chooses:
        learnt.choice = choose(job, items, pooled, learnt.answered)
    return learnt


def choose(
    job: Job,
    items: Sequence[SourceObject],
    reliability: Reliability,
    answered: Mapping[str, Sequence[str]],
) -> Choice:
    """Test weights on a sample of the job; see `consolidation.consensus.auto`."""
    options = job.options
    trial = Trial(reliability, smoothing=options.sigma, ties=options.ties)
    enough = [item for item in items if trial.suits(answered.get(item.id, ()))]
    for position in sampled(len(enough)):
        prepared = prepared_or_none(job, enough[position])
        if prepared is not None:
            trial.ask(prepared.masks, prepared.workers, len(job.classes), ignore_index(job.classes))
    return trial.choice()

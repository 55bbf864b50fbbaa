"""The engine's own methods, as a job runs them, on masks in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from benchmarks.accuracy_sets import Image, Job
from consolidation import Reliability, consolidate
from consolidation.consensus import Choice, Trial, WorkerConfusion, sampled

PLURALITY, SMOOTHING, AUTO = "plurality", "smoothing 1", "auto"


@dataclass(frozen=True)
class Learnt:
    """What a run learns from a job before it decides any image."""

    reliability: Reliability
    choice: Choice
    confusion: WorkerConfusion


def learn(job: Job) -> Learnt:
    """All that `consolidation.jobs.work.learning` learns, from a job in memory."""
    learnt = learn_reliability(job)
    for image in job.images:
        if len(image.workers) > 1:
            learnt.confusion.add(image.masks, image.workers)
    return learnt


def learn_reliability(job: Job) -> Learnt:
    """What `auto` learns; workers' confusion is left empty."""
    reliability = Reliability()
    shared = [image for image in job.images if len(image.workers) > 1]
    for image in shared:
        reliability.add(image.masks, image.workers)
    trial = Trial(reliability)
    enough = [image for image in shared if trial.suits(image.workers)]
    for place in sampled(len(enough)):
        trial.ask(enough[place].masks, enough[place].workers, job.n_classes)
    return Learnt(reliability, trial.choice(), WorkerConfusion())


Method = Callable[[Image, int, Learnt], NDArray[Any]]


def _plain(**options: Any) -> Method:
    def predict(image: Image, n_classes: int, learnt: Learnt) -> NDArray[Any]:
        return consolidate(image.masks, n_classes=n_classes, **options).labels

    return predict


def _auto(image: Image, n_classes: int, learnt: Learnt) -> NDArray[Any]:
    return consolidate(
        image.masks,
        n_classes=n_classes,
        method="auto",
        workers=image.workers,
        reliability=learnt.choice,
    ).labels


def _weighted(image: Image, n_classes: int, learnt: Learnt) -> NDArray[Any]:
    return consolidate(
        image.masks,
        n_classes=n_classes,
        method="weighted",
        workers=image.workers,
        reliability=learnt.reliability,
        smoothing=1.0,
        ties="neighbours",
    ).labels


def _dawid_skene(image: Image, n_classes: int, learnt: Learnt) -> NDArray[Any]:
    return consolidate(
        image.masks,
        n_classes=n_classes,
        method="dawid-skene",
        workers=image.workers,
        reliability=learnt.confusion,
    ).labels


def methods() -> dict[str, Method]:
    """Labels (H, Wd) of an image by every method; plurality, the baseline, first."""
    return {
        PLURALITY: _plain(),
        "plurality, ties by neighbours": _plain(ties="neighbours"),
        SMOOTHING: _plain(smoothing=1.0, ties="neighbours"),
        AUTO: _auto,
        "weighted": _weighted,
        "dawid-skene, an image": _plain(method="dawid-skene"),
        "dawid-skene, pooled": _dawid_skene,
    }

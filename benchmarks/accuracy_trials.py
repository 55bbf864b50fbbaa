"""The experiments: workers held out, truth, junk workers, simulated jobs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_methods import PLURALITY, Learnt, learn, methods
from benchmarks.accuracy_peers import Peer, peers
from benchmarks.accuracy_scores import Scores
from benchmarks.accuracy_sets import (
    KINDS,
    Image,
    Job,
    careful_and_junk,
    drawn,
    simulated,
)
from consolidation.consensus import Choice

Labels = NDArray[np.uint8]
CAREFUL = "plurality of the careful"
JUNK = {
    (3, 1): (("blank",), ("blobs",), ("noise",)),
    (3, 2): (("blank", "blobs"), ("blobs", "noise"), ("blank", "noise")),
    (5, 2): (("blank", "blobs"), ("blobs", "noise"), ("blank", "noise")),
    (5, 4): (
        ("blank", "blobs", "noise", "blobs"),
        ("blank", "blank", "noise", "noise"),
        ("blank", "blank", "blank", "blank"),
    ),
}
"""Careful and junk workers, and the mixtures of junk; each mixture is a seed of its own."""


@dataclass
class Trials:
    """Scores of one experiment and what `auto` chose in it."""

    scores: Scores = field(default_factory=Scores)
    choices: list[Choice] = field(default_factory=list)

    def judge(self, image: Image, case: str, judge: Labels, n_classes: int, learnt: Learnt) -> None:
        """Score every method of the engine on one image."""
        for name, predict in methods().items():
            self.scores.add(name, image.name, case, predict(image, n_classes, learnt), judge)

    def judge_peers(self, found: dict[str, Peer], image: Image, case: str, judge: Labels) -> None:
        """Score peers on one image."""
        for name, peer in found.items():
            self.scores.add(name, image.name, case, peer.predict(image.masks), judge)


def held_out(job: Job, each: int, slow: bool, step: int = 1) -> Trials:
    """Hold each worker out of the whole job, then predict that worker's masks from the rest.

    Peers, which know nothing of the job, predict `each` of every image's workers in turn, so
    that all workers are asked alike; slow ones predict one. With a `step`, all is learnt from the
    whole job, but only every `step`-th image is predicted.
    """
    trials = Trials()
    found = peers(job.n_classes, slow)
    for worker in job.workers:
        rest = job.without(worker)
        learnt = learn(rest)
        trials.choices.append(learnt.choice)
        others = {image.name: image for image in rest.images}
        for number, image in enumerate(job.images):
            if number % step or worker not in image.workers or image.name not in others:
                continue
            place = image.workers.index(worker)
            judge, left = image.masks[place], others[image.name]
            trials.judge(left, worker, judge, job.n_classes, learnt)
            turn = (place - number // step) % len(image.workers)
            asked = {key: peer for key, peer in found.items() if turn < (1 if peer.slow else each)}
            trials.judge_peers(asked, left, worker, judge)
    return trials


def against_truth(job: Job, votes: int, seeds: int, slow: bool, step: int = 1) -> Trials:
    """Some workers of each image, drawn anew for each seed, against its truth.

    All peers are asked on every seed, slow ones on the first; `step` as for `held_out`.
    """
    trials = Trials()
    for seed in range(seeds):
        some = drawn(job, votes, seed)
        learnt = learn(some)
        trials.choices.append(learnt.choice)
        found = peers(job.n_classes, slow and seed == 0)
        for image in some.images[::step]:
            trials.judge(image, str(seed), image.truth, job.n_classes, learnt)
            trials.judge_peers(found, image, str(seed), image.truth)
    return trials


@dataclass
class JunkTrial:
    """One mixture of careful and junk workers."""

    careful: int
    junk: tuple[str, ...]
    scores: Scores
    worst_first: bool
    """Whether the junk workers have the lowest qualities of all."""
    reported: bool
    """Whether exactly the junk workers are reported as junk."""
    worst_careful: float
    """Lowest quality of a careful worker, as a share of the co-workers'."""
    best_junk: float
    """Highest quality of a junk worker, as a share of the co-workers'."""


def junk_trial(job: Job, careful: int, junk: tuple[str, ...], seed: int) -> JunkTrial:
    """Add junk workers; every method with them, and plurality without, against truth."""
    real, mixed = careful_and_junk(job, careful, junk, seed)
    learnt = learn(mixed)
    trials = Trials()
    for image, alone in zip(mixed.images, real.images, strict=True):
        trials.judge(image, str(seed), image.truth, job.n_classes, learnt)
        labels = methods()[PLURALITY](alone, job.n_classes, learnt)
        trials.scores.add(CAREFUL, image.name, str(seed), labels, image.truth)
    estimate = learnt.reliability.estimate()
    bad = {worker for worker in mixed.workers if worker.startswith("junk")}
    ranked = sorted(estimate.quality, key=lambda worker: estimate.quality[worker])
    share = {worker: estimate.quality[worker] / estimate.level[worker] for worker in ranked}
    return JunkTrial(
        careful,
        junk,
        trials.scores,
        worst_first=set(ranked[: len(bad)]) == bad,
        reported=estimate.junk == bad,
        worst_careful=min(share[worker] for worker in ranked if worker not in bad),
        best_junk=max(share[worker] for worker in bad),
    )


def simulated_trials(kind: str, images: int, seeds: int) -> Trials:
    """Jobs of one kind, against truth."""
    trials = Trials()
    for seed in range(seeds):
        job = simulated(KINDS[kind], images, seed)
        learnt = learn(job)
        trials.choices.append(learnt.choice)
        for image in job.images:
            # another seed is another image
            name = f"{seed}/{image.name}"
            for method, predict in methods().items():
                labels = predict(image, job.n_classes, learnt)
                trials.scores.add(method, name, "", labels, image.truth)
    return trials

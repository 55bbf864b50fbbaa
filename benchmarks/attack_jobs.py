"""Jobs in which some workers do not draw what they see: simulated, or among real people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_sets import Image, Job, Kind, simulated
from consolidation.simulation.attacks import (
    boxed,
    changed,
    grown,
    half_absent,
    largest,
    shifted,
)
from consolidation.simulation.scenes import Scene
from consolidation.simulation.worker_kinds import hire, traced

Mask = NDArray[np.uint8]
SIDE = 400
"""Larger images are cropped to so many rows and columns around what is painted."""
MOST_IMAGES = 16


class Seen(NamedTuple):
    """What one attacker has before the eyes."""

    own: Mask
    """What an honest person in the same place drew."""
    first: Mask
    """The first answer to the image."""
    label: Mask
    """The pre-label of the image."""
    bot: Mask
    """What a bot drew, the same for all of its accounts."""
    n_classes: int
    number: int
    """Of the attacker, from 0."""
    rng: np.random.Generator


ATTACKS: dict[str, Callable[[Seen], Mask]] = {
    "twins": lambda seen: seen.bot,
    "near-twins, 1 %": lambda seen: changed(seen.bot, 0.01, seen.n_classes, seen.rng),
    "near-twins, 5 %": lambda seen: changed(seen.bot, 0.05, seen.n_classes, seen.rng),
    "copies of the first answer": lambda seen: seen.first,
    "near-copies of it, 3 %": lambda seen: changed(seen.first, 0.03, seen.n_classes, seen.rng),
    "copies of it, grown": lambda seen: grown(seen.first, 1 + seen.number),
    "accepted pre-labels": lambda seen: seen.label,
    "boxes": lambda seen: boxed(seen.own),
    "largest object only": lambda seen: largest(seen.own),
    "shifted": lambda seen: shifted(seen.own, 4, 4),
    "dilated": lambda seen: grown(seen.own, 4),
    "half absent": lambda seen: half_absent(seen.own, seen.rng),
    "blank": lambda seen: np.zeros_like(seen.own),
}
JUNK = ("twins", "near-twins, 1 %", "near-twins, 5 %", "blank")
"""Those whose masks know nothing of the image."""
COPIES = ("near-copies of it, 3 %", "copies of it, grown", "copies of the first answer", *JUNK[:3])
"""Those who are not independent, and should be said to be so."""


@dataclass(frozen=True)
class Attacked:
    """A job under attack, its careful workers, and what judges the consensus of each image."""

    mixed: Job
    careful: Job
    judges: tuple[tuple[Mask, ...], ...]
    attackers: frozenset[str]


def attacked(job: Job, careful: int, attackers: int, attack: str, seed: int) -> Attacked:
    """Replace some of the workers of a job by attackers.

    Careful workers are the same people in every image, drawn anew for each seed, and so are those
    whom attackers replace. An image is judged by its truth or, where there is none, by the people
    who are on neither side. Where nobody is, attackers spoil masks of the careful, and who would
    have been replaced judges.
    """
    rng = np.random.default_rng([seed, careful, attackers, list(ATTACKS).index(attack)])
    team = _team(job, careful + attackers, rng)
    kept, replaced = team[:careful], team[careful:]
    bot = hire("bot", "blobs", job.n_classes - 1, rng)
    names = tuple(f"attacker_{number}" for number in range(attackers))
    mixed, alone, judges = [], [], []
    images = [image for image in job.images if team and set(team) <= set(image.workers)]
    for image in _some(images, rng):
        own = image.only([image.workers.index(worker) for worker in kept])
        honest = image.masks[[image.workers.index(worker) for worker in replaced]]
        other = [m for w, m in zip(image.workers, image.masks, strict=True) if w not in team]
        truth = [] if image.truth is None else [image.truth]
        if not truth and not other:
            other, honest = list(honest), own.masks[-attackers:]
        label = traced(honest[0], rng, 5.0, 20.0)
        scene = Scene(np.zeros_like(label), np.zeros(1, np.uint8), np.zeros((*label.shape, 3)))
        junk = bot.annotate(scene, rng)
        masks = [
            ATTACKS[attack](Seen(mask, own.masks[0], label, junk, job.n_classes, number, rng))
            for number, mask in enumerate(honest)
        ]
        workers = (*own.workers, *names)
        mixed.append(replace(own, workers=workers, masks=np.concatenate([own.masks, masks])))
        alone.append(own)
        judges.append(tuple(truth or other))
    mixed_job = replace(job, images=tuple(mixed))
    return Attacked(mixed_job, replace(job, images=tuple(alone)), tuple(judges), frozenset(names))


def two_images_each(job: Attacked) -> Attacked:
    """The same answers by workers who did two images each and were never seen again."""

    def renamed(part: Job) -> Job:
        images = [
            replace(image, workers=tuple(f"{name}-{number // 2}" for name in image.workers))
            for number, image in enumerate(part.images)
        ]
        return replace(part, images=tuple(images))

    return replace(job, mixed=renamed(job.mixed), careful=renamed(job.careful))


def cropped(job: Job) -> Job:
    """Images of `SIDE` rows and columns at most, around the middle of what is painted."""
    return replace(job, images=tuple(map(_crop, job.images)))


def _crop(image: Image) -> Image:
    painted = np.nonzero((image.masks > 0).any(axis=0))
    windows = []
    for places, size in zip(painted, image.masks.shape[1:], strict=True):
        middle = int(np.median(places)) if len(places) else size // 2
        start = min(max(middle - SIDE // 2, 0), max(size - SIDE, 0))
        windows.append(slice(start, start + SIDE))
    window = tuple(windows)
    truth = None if image.truth is None else np.ascontiguousarray(image.truth[window])
    masks = np.ascontiguousarray(image.masks[(slice(None), *window)])
    return replace(image, masks=masks, truth=truth)


def simulated_jobs(seed: int) -> Iterator[Job]:
    """Simulated jobs of seven careful workers, one of two classes and one of five."""
    for classes in (1, 4):
        job = simulated(Kind(("careful",) * 7, classes), MOST_IMAGES, seed)
        yield replace(job, name=f"simulated, {classes} class{'es' if classes > 1 else ''}")


def _team(job: Job, count: int, rng: np.random.Generator) -> list[str]:
    """People who did at least twelve images together, or as many as there are."""
    large = [image.workers for image in job.images if len(image.workers) >= count]
    best: tuple[int, list[str]] = (0, [])
    for _ in range(50 if large else 0):
        team = rng.permutation(large[rng.integers(len(large))])[:count].tolist()
        common = sum(set(team) <= set(workers) for workers in large)
        best = max(best, (common, team), key=lambda item: item[0])
        if common >= min(12, len(job.images)):
            break
    return best[1]


def _some(images: Sequence[Image], rng: np.random.Generator) -> list[Image]:
    places = sorted(rng.permutation(len(images))[:MOST_IMAGES].tolist())
    return [images[place] for place in places]

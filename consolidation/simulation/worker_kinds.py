"""Simulated workers: people with one stable habit each, from careful to useless, to not honest."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consolidation.simulation.attacks import boxed, grown, half_absent, largest, shifted
from consolidation.simulation.scenes import Scene, smooth_noise

Mask = npt.NDArray[np.uint8]

# How far and over what distance a border moves, in pixels: a steady hand and a hasty one.
_STEADY, _STEADY_GRAIN = 1.0, 6.0
_HASTY, _HASTY_GRAIN = 7.0, 28.0

# Share of objects that `misses` leaves out, and that `confuses` gives the wrong one of two classes.
_MISSED = 0.35
_CONFUSED = 0.75

# By how many pixels masks are grown or moved, and the share of objects that are corrected.
_GROWN, _DILATED, _SHIFTED = 2, 4, 4
_CORRECTED = 0.6


@dataclass(frozen=True)
class Worker:
    """One simulated person.

    Attributes
    ----------
    worker_id : str
    kind : str
        One of `KINDS`.
    n_classes : int
        Number of classes without background.
    confused : (int, int)
        The two classes that a worker of kind `confuses` takes for each other; equal if the job has
        only one class, and then nothing is confused.
    """

    worker_id: str
    kind: str
    n_classes: int
    confused: tuple[int, int]

    def annotate(
        self, scene: Scene, rng: np.random.Generator, answers: Sequence[Mask] = ()
    ) -> Mask:
        """Paint one picture.

        Parameters
        ----------
        scene : Scene
        rng : numpy.random.Generator
            Chance of this one answer; the habit is the worker's own.
        answers : sequence of ndarray
            Masks of those who were there before, which some copy.

        Returns
        -------
        ndarray of uint8, shape (H, Wd)
            Class indices, 0 where nothing is painted.
        """
        if answers and self.kind in _COPIERS:
            return _COPIERS[self.kind](answers[0])
        return _HABITS[self.kind](self, scene, rng)


def hire(worker_id: str, kind: str, n_classes: int, rng: np.random.Generator) -> Worker:
    """Make a worker, whose habit `rng` settles for the whole job.

    Parameters
    ----------
    worker_id : str
    kind : str
        One of `KINDS`.
    n_classes : int
        Number of classes without background, at least 1.
    rng : numpy.random.Generator

    Returns
    -------
    Worker

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> hire("private.us-east-1.confuses01", "confuses", 2, np.random.default_rng(0)).confused
    (1, 2)
    """
    if kind not in _HABITS:
        raise ValueError(f"no worker kind {kind!r}; there are {', '.join(KINDS)}")
    pair = sorted((rng.permutation(n_classes)[:2] + 1).tolist())
    return Worker(worker_id, kind, n_classes, (pair[0], pair[-1]))


def hire_team(
    count: int,
    kinds: Sequence[str],
    n_classes: int,
    stream: Callable[[int], np.random.Generator],
) -> list[Worker]:
    """Hire `count` workers of the kinds in turn, worker `n` by the chance of `stream(n)`.

    Ids look like those of a private workforce and tell the kind, counted from 01 within it.
    """
    if not kinds:
        raise ValueError(f"kinds must name at least one of {', '.join(KINDS)}")
    team: list[Worker] = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        same = 1 + sum(worker.kind == kind for worker in team)
        name = f"private.us-east-1.{kind}{same:02d}"
        team.append(hire(name, kind, n_classes, stream(number)))
    return team


def _careful(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return traced(scene.truth, rng, _STEADY, _STEADY_GRAIN)


def _sloppy(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return traced(scene.truth, rng, _HASTY, _HASTY_GRAIN)


def _misses(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    classes = scene.object_classes.copy()
    classes[rng.random(classes.size) < _MISSED] = 0
    return traced(classes[scene.objects], rng, _STEADY, _STEADY_GRAIN)


def _confuses(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    label, other = worker.confused
    swap = np.arange(worker.n_classes + 1, dtype=np.uint8)
    swap[[label, other]] = other, label
    wrong = rng.random(scene.object_classes.size) < _CONFUSED
    classes = np.where(wrong, swap[scene.object_classes], scene.object_classes)
    return traced(classes[scene.objects], rng, _STEADY, _STEADY_GRAIN)


def _blobs(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    rows, columns = scene.objects.shape
    grain = max(min(rows, columns) / 5, 1.0)
    mask = np.zeros((rows, columns), dtype=np.uint8)
    for _ in range(4):
        mask[smooth_noise(rng, (rows, columns), grain) > 1] = rng.integers(1, worker.n_classes + 1)
    return mask


def _noise(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return rng.integers(0, worker.n_classes + 1, scene.objects.shape, dtype=np.uint8)


def _blank(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return np.zeros_like(scene.objects)


def _twins(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return _blobs(worker, scene, _shared(scene))


def _accepts(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    """Return the automatic mask of the picture as it is: a hasty one."""
    return traced(scene.truth, _shared(scene), _HASTY, _HASTY_GRAIN)


def _corrects(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    own = _careful(worker, scene, rng)
    redrawn = rng.random(scene.object_classes.size) < _CORRECTED
    return np.where(redrawn[scene.objects], own, _accepts(worker, scene, rng))


def _boxes(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return boxed(_careful(worker, scene, rng))


def _largest(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return largest(_careful(worker, scene, rng))


def _shifts(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return shifted(_careful(worker, scene, rng), _SHIFTED, _SHIFTED)


def _dilates(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return grown(_careful(worker, scene, rng), _DILATED)


def _halves(worker: Worker, scene: Scene, rng: np.random.Generator) -> Mask:
    return half_absent(_careful(worker, scene, rng), rng)


def _shared(scene: Scene) -> np.random.Generator:
    """Chance that is the same for everybody who sees this picture."""
    return np.random.default_rng(zlib.crc32(scene.objects.tobytes()))


def traced(labels: Mask, rng: np.random.Generator, reach: float, grain: float) -> Mask:
    """Redraw the labels by hand: each pixel is taken from at most `reach` away on either axis."""
    rows, columns = labels.shape
    moves = [
        np.rint(np.clip(smooth_noise(rng, (rows, columns), grain) * reach, -reach, reach))
        for _ in range(2)
    ]
    row = np.arange(rows)[:, np.newaxis] + moves[0].astype(np.intp)
    column = np.arange(columns)[np.newaxis, :] + moves[1].astype(np.intp)
    traced: Mask = labels[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)]
    return traced


_HABITS: dict[str, Callable[[Worker, Scene, np.random.Generator], Mask]] = {
    "careful": _careful,
    "sloppy": _sloppy,
    "misses": _misses,
    "confuses": _confuses,
    "blobs": _blobs,
    "noise": _noise,
    "blank": _blank,
    "twins": _twins,
    "copies": _careful,
    "grows": _careful,
    "accepts": _accepts,
    "corrects": _corrects,
    "boxes": _boxes,
    "largest": _largest,
    "shifts": _shifts,
    "dilates": _dilates,
    "halves": _halves,
}

# What is made of the first answer to a picture; who is the first has to draw.
_COPIERS: dict[str, Callable[[Mask], Mask]] = {
    "copies": lambda first: first,
    "grows": lambda first: grown(first, _GROWN),
}

KINDS: tuple[str, ...] = tuple(_HABITS)

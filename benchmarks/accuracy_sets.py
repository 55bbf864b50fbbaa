"""Jobs to measure accuracy on: real workers' masks read from disk, junk added, or simulated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from consolidation.simulation.scenes import Scene, draw_scene
from consolidation.simulation.worker_kinds import hire, hire_team

SETS = ("bioimage_cfos", "rts_thaw_slumps", "dermx_grouped", "bubil_crowd")


@dataclass(frozen=True, eq=False)
class Image:
    """Masks (W, H, Wd) uint8 of one image by W workers, and its truth (H, Wd) where known."""

    name: str
    workers: tuple[str, ...]
    masks: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None = None

    def only(self, places: Sequence[int]) -> Image:
        """The same image with some of its workers."""
        workers = tuple(self.workers[place] for place in places)
        return replace(self, workers=workers, masks=self.masks[list(places)])

    def without(self, worker: str) -> Image:
        """The same image as if this worker had not seen it."""
        return self.only([place for place, name in enumerate(self.workers) if name != worker])


@dataclass(frozen=True, eq=False)
class Job:
    """Images that the same workers did."""

    name: str
    n_classes: int
    images: tuple[Image, ...]

    @property
    def workers(self) -> list[str]:
        """Ids of all workers, sorted."""
        return sorted({worker for image in self.images for worker in image.workers})

    def without(self, worker: str) -> Job:
        """The same job as if this worker had never been there."""
        rest = (image.without(worker) for image in self.images)
        return replace(self, images=tuple(image for image in rest if image.workers))


def load(folder: Path) -> Job | None:
    """Read `<image>/worker_<k>.png`, `truth.png` and `classes.json`; None if there are none."""
    if not folder.is_dir():
        return None
    classes = json.loads((folder / "classes.json").read_text())["classes"]
    images = []
    for one in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(one.glob("worker_*.png"))
        truth = one / "truth.png"
        images.append(
            Image(
                name=one.name,
                workers=tuple(path.stem for path in files),
                masks=np.stack([_read(path) for path in files]),
                truth=_read(truth) if truth.exists() else None,
            )
        )
    return Job(folder.name, len(classes), tuple(images))


def _read(path: Path) -> NDArray[np.uint8]:
    with PIL.Image.open(path) as image:
        return np.array(image, np.uint8)


def drawn(job: Job, count: int, seed: int) -> Job:
    """`count` workers of each image, drawn anew for each."""
    rng = np.random.default_rng([seed, count])
    images = []
    for image in job.images:
        places = rng.permutation(len(image.workers))[:count]
        images.append(image.only(sorted(places.tolist())))
    return replace(job, images=tuple(images))


def careful_and_junk(job: Job, careful: int, junk: Sequence[str], seed: int) -> tuple[Job, Job]:
    """A job of some of the real workers, the same ones in every image; and the same with junk.

    Parameters
    ----------
    job : Job
    careful : int
        How many real workers.
    junk : sequence of str
        Kinds of `consolidation.simulation.worker_kinds`, one worker each, in every image.
    seed : int
        Who is drawn, and what junk workers paint.
    """
    rng = np.random.default_rng([seed, careful, len(junk)])
    kept = set(rng.permutation(job.workers)[:careful].tolist())
    names = [f"junk_{number}_{kind}" for number, kind in enumerate(junk)]
    team = [
        hire(name, kind, job.n_classes - 1, rng) for name, kind in zip(names, junk, strict=True)
    ]
    real, mixed = [], []
    for image in job.images:
        own = image.only([p for p, worker in enumerate(image.workers) if worker in kept])
        shape = image.masks.shape[1:]
        nothing = Scene(np.zeros(shape, np.uint8), np.zeros(1, np.uint8), np.zeros((*shape, 3)))
        added = np.stack([worker.annotate(nothing, rng) for worker in team])
        masks = np.concatenate([own.masks, added])
        real.append(own)
        mixed.append(replace(own, workers=(*own.workers, *names), masks=masks))
    return replace(job, images=tuple(real)), replace(job, images=tuple(mixed))


@dataclass(frozen=True)
class Kind:
    """A kind of simulated job: who works, on how many classes, how many of them an image."""

    team: tuple[str, ...]
    classes: int
    votes: int | None = None


MIXED = ("careful", "careful", "sloppy", "misses", "confuses")
KINDS = {
    "3 careful, 1 class": Kind(("careful",) * 3, 1),
    "5 careful, 4 classes": Kind(("careful",) * 5, 4),
    "mixed five, 4 classes": Kind(MIXED, 4),
    "mixed five, 1 class": Kind(MIXED, 1),
    "mixed five, 20 classes": Kind(MIXED, 20),
    "4 of 10 mixed, 6 classes": Kind(MIXED * 2, 6, votes=4),
    "2 careful, 5 sloppy, 3 classes": Kind(("careful",) * 2 + ("sloppy",) * 5, 3),
    "2 careful, 3 who miss, 2 classes": Kind(("careful",) * 2 + ("misses",) * 3, 2),
    "3 careful, 2 who confuse, 3 classes": Kind(("careful",) * 3 + ("confuses",) * 2, 3),
    "1 careful, 4 who confuse, 3 classes": Kind(("careful",) + ("confuses",) * 4, 3),
    "3 careful, blank, noise, 3 classes": Kind(("careful",) * 3 + ("blank", "noise"), 3),
    "3 of 4 careful and 3 junk, 2 classes": Kind(
        ("careful",) * 4 + ("blank", "blobs", "noise"), 2, votes=3
    ),
}


def simulated(kind: Kind, images: int, seed: int, size: tuple[int, int] = (128, 160)) -> Job:
    """Simulate a job of one kind in memory, with truth."""
    rng = np.random.default_rng([seed, kind.classes, len(kind.team)])
    streams: Iterator[Any] = iter(rng.spawn(len(kind.team)))
    team = hire_team(len(kind.team), kind.team, kind.classes, lambda _: next(streams))
    done = []
    for number in range(images):
        scene = draw_scene(rng, kind.classes, size)
        places = sorted(rng.permutation(len(team))[: kind.votes].tolist())
        masks = np.stack([team[place].annotate(scene, rng) for place in places])
        ids = tuple(team[place].worker_id for place in places)
        done.append(Image(str(number), ids, masks, scene.truth))
    return Job("simulated", kind.classes + 1, tuple(done))

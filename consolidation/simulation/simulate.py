"""Write a labeling job whose truth is known, in the form a finished Ground Truth job has."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.simulation.answers import truth_png, worker_content
from consolidation.simulation.scenes import Scene, draw_scene
from consolidation.simulation.simulated_job import SimulatedJob
from consolidation.simulation.worker_kinds import Worker, hire_team

DEFAULT_KINDS = ("careful", "careful", "sloppy", "misses", "confuses")

_NAMES = (
    *("road", "tree", "car", "person", "building", "grass", "water", "sign", "bicycle", "dog"),
    *("cat", "bus", "boat", "bench", "bird", "fence"),
)

_OBJECTS_PER_REQUEST = 10

# What a random stream is for. Each is keyed by what it is about, so that a job of more images or
# more workers repeats the smaller job's pictures and answers.
_SCENE, _PERSON, _ANSWER, _MISSING, _ORDER = range(5)


def simulate_job(
    out: str | Path,
    *,
    images: int = 12,
    workers: int = 5,
    classes: int = 4,
    size: tuple[int, int] = (192, 256),
    seed: int = 0,
    kinds: Sequence[str] | None = None,
    missing: float = 0.1,
) -> SimulatedJob:
    """Simulate a labeling job: pictures, what workers painted, and the truth.

    Parameters
    ----------
    out : str or Path
        Folder to write to; made if needed. The same arguments write the same bytes again.
    images, workers : int
        How many of each, at least 1.
    classes : int
        Number of classes, 1..254, background not counted.
    size : (int, int)
        Rows and columns of the pictures, at least 16 each.
    seed : int
        Another seed, another job; not negative.
    kinds : sequence of str, optional
        Kinds of the workers in turn, begun again when there are more workers: careful, sloppy,
        misses, confuses, blobs, noise, blank; twins (accounts of one bot: the same blobs), copies
        and grows (the first answer, as it is or two pixels larger), accepts and corrects (the same
        automatic mask), boxes, largest (object only), shifts, dilates, halves (leaves out half).
        Default: two careful, one each of sloppy, misses and confuses.
    missing : float
        Share of answers that never came, in [0, 1). Every object keeps at least one.

    Returns
    -------
    SimulatedJob

    Raises
    ------
    ValueError
        If an argument is outside its range or a kind does not exist.
    SourceError
        If the folder holds files of another job, which would mix with this one, or is on S3.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     job = simulate_job(folder, images=2, workers=2, size=(32, 48))
    ...     sorted(path.name for path in job.folder.iterdir())
    ['annotations', 'classes.json', 'images', 'input.manifest', 'label-categories.json', 'truth']
    >>> job.worker_ids
    ('private.us-east-1.careful01', 'private.us-east-1.careful02')
    """
    from consolidation.masks.colors import class_color  # not at import: it loads the compiler

    if storage.is_s3(out):
        raise SourceError(f"a simulated job is written to a local folder, not to {out}")
    _check(images=images, workers=workers, classes=classes, size=size, seed=seed, missing=missing)
    kinds = DEFAULT_KINDS if kinds is None else kinds
    team = hire_team(workers, kinds, classes, lambda n: _stream(seed, _PERSON, n))
    labels = _NAMES[:classes] + tuple(f"class {k}" for k in range(len(_NAMES) + 1, classes + 1))
    job = SimulatedJob(
        folder=storage.local(out),
        object_ids=tuple(str(number) for number in range(images)),
        class_names=("BACKGROUND", *labels),
        worker_ids=tuple(worker.worker_id for worker in team),
        worker_kinds=tuple(worker.kind for worker in team),
    )
    order = _stream(seed, _ORDER).permutation(images).tolist()
    batches = list(_batches(order))
    job.refuse_leftovers([name for name, _ in batches])
    for folder in (job.images, job.truth, job.requests):
        folder.mkdir(parents=True, exist_ok=True)

    for name, numbers in batches:
        request = []
        for number in numbers:
            scene = draw_scene(_stream(seed, _SCENE, number), classes, size)
            _write_png(job.folder / job.image_key(number), scene)
            (job.truth / f"{number}.png").write_bytes(truth_png(scene.truth, classes))
            answers = _annotations(scene, number, team, labels, missing=missing, seed=seed)
            request.append(
                {
                    "datasetObjectId": str(number),
                    "dataObject": {"s3Uri": job.image_key(number)},
                    "annotations": answers,
                }
            )
        _write_json(job.requests / name, request)

    sources = [{"source-ref": job.image_key(number)} for number in range(images)]
    lines = "".join(json.dumps(source) + "\n" for source in sources)
    job.manifest.write_bytes(lines.encode("utf-8"))
    categories = [{"label": label} for label in labels]
    _write_json(job.label_categories, {"document-version": "2018-11-28", "labels": categories})
    entries = [
        {"index": k, "name": name, "color": class_color(k)}
        for k, name in enumerate(job.class_names)
    ]
    _write_json(job.classes, {"classes": entries})
    return job


def _check(
    *, images: int, workers: int, classes: int, size: tuple[int, int], seed: int, missing: float
) -> None:
    for name, value in (("images", images), ("workers", workers)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not 1 <= classes <= 254:
        raise ValueError(f"classes must be in 1..254, got {classes}")
    if len(size) != 2 or min(size) < 16:
        raise ValueError(f"size must be two numbers (rows, columns) of at least 16, got {size}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if not 0 <= missing < 1:
        raise ValueError(f"missing must be in [0, 1), got {missing}")


def _batches(order: list[int]) -> Iterator[tuple[str, list[int]]]:
    """Split the objects over request files, named by a time that only counts."""
    time = datetime(2026, 1, 1)
    for start in range(0, len(order), _OBJECTS_PER_REQUEST):
        # A real key has colons here; Windows file names cannot.
        yield time.strftime("%Y-%m-%d_%H_%M_%S.json"), order[start : start + _OBJECTS_PER_REQUEST]
        time += timedelta(minutes=2)


def _annotations(
    scene: Scene,
    number: int,
    team: Sequence[Worker],
    labels: Sequence[str],
    *,
    missing: float,
    seed: int,
) -> list[dict[str, Any]]:
    rng = _stream(seed, _MISSING, number)
    # Drawn for each place in the team before anything else: more workers change no one's luck.
    luck = rng.random(len(team))
    came = np.flatnonzero(luck >= min(missing, luck.max()))
    answers: list[dict[str, Any]] = []
    masks: list[Any] = []
    for member in rng.permutation(came).tolist():
        worker = team[member]
        mask = worker.annotate(scene, _stream(seed, _ANSWER, number, member), masks)
        masks.append(mask)
        data = {"content": worker_content(mask, labels)}
        answers.append({"workerId": worker.worker_id, "annotationData": data})
    return answers


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng([seed, *key])


def _write_png(path: Path, scene: Scene) -> None:
    out = io.BytesIO()
    # Pixel noise does not compress: more effort costs time and saves nothing.
    Image.fromarray(scene.picture).save(out, format="PNG", compress_level=1)
    path.write_bytes(out.getvalue())


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, separators=(",", ":"))
    path.write_bytes(text.encode("utf-8") + b"\n")

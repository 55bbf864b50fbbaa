"""The hunt for masks that are wrong in silence, from folders, truths and class lists.

Workers mean the same classes and write them in ways drawn by chance, sometimes not all in the same
way, beside a class list that may or may not fit. Whatever comes out must be what they mean, or it
must be refused, or said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from consolidation.commands.evaluate import evaluate_folders
from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError
from consolidation.masks import decode_indices
from tests import tiny_png
from tests import value_cases as made
from tests.wire import json_lines, plain

ENDINGS = (
    "understood",
    "answers dropped, said",
    "objects failed, said",
    "refused",
    "wrong in silence",
)
NAMES = ("background", "cell", "core", "rim")
COLORS = ((0, 0, 0), (255, 0, 0), (0, 0, 255), (0, 200, 0))
SIDE = 32
Array = made.Array


@dataclass(frozen=True)
class Prey:
    """What workers mean, and how they and the class list say it."""

    mask: Array
    n_classes: int
    writers: tuple[Callable[[Array], bytes], ...]
    classes: tuple[str, str] | None
    names: tuple[str, ...] | None
    """What the list calls the classes: so they must be called. None: it calls them nothing."""


def _areas(rng: np.random.Generator, n_classes: int) -> Array:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for index in range(1, n_classes):
        top, left = rng.integers(1, SIDE - 12, 2)
        mask[top : top + rng.integers(6, 11), left : left + rng.integers(6, 11)] = index
    return mask


def _scaled(n_classes: int) -> Callable[[Array], Array]:
    return lambda mask: np.where(mask == 255, 255, mask * (255 // (n_classes - 1))).astype(np.uint8)


def _permuted(rng: np.random.Generator, n_classes: int) -> Callable[[Array], bytes]:
    """Palette whose colours are right and whose indices are in another order."""
    order = rng.permutation(n_classes)
    table = np.zeros(256, np.uint8)
    table[:n_classes] = order
    colors = [COLORS[int(np.flatnonzero(order == at)[0])] for at in range(n_classes)]
    return lambda mask: tiny_png.write(
        table[mask], tiny_png.PALETTE, palette=bytes(sum(map(tuple, colors), ()))
    )


def _writers(rng: np.random.Generator, n: int, void: bool) -> dict[str, Callable[[Array], bytes]]:
    found: dict[str, Callable[[Array], bytes]] = {
        "grey": made.grey,
        "16 bits": made.deep,
        "as RGB": made.repeated,
        "JPEG": lambda mask: made.as_kind("JPEG")(_scaled(n)(mask)),
        "cut": made.cut,
    }
    if not void:
        found |= {
            "scaled": lambda mask: made.grey(_scaled(n)(mask)),
            "16 bits scaled": lambda mask: made.deep(_scaled(n)(mask), 257),
            "palette": made.palette(COLORS[:n]),
            "colours": made.painted(COLORS[:n]),
            "through JPEG": lambda mask: made.through_jpeg(_scaled(n)(mask)),
            "photograph": made.photograph,
        }
        if n == 2:
            found |= {"1 bit": made.bits(1), "smoothed": made.smoothed, "few": made.few_levels}
    return found


def _lists(n: int) -> dict[str, tuple[tuple[str, str] | None, tuple[str, ...] | None]]:
    """Class lists, and what each calls the classes that are meant."""
    names = NAMES[:n]
    labels = json.dumps({"labels": [{"label": name} for name in names[1:]]})
    roads = tuple(f"road-{at}" for at in range(n))
    return {
        "none": (None, None),
        "indexed": (made.indexed(*names), names),
        "colored": (made.indexed(*names, colors=COLORS[:n]), names),
        "plain": (made.plain_list(*names), names),
        "without background": (made.plain_list(*names[1:]), names),
        "labels": (("classes.json", labels), names),
        "too few": (made.indexed(*names[:-1]), names),
        "too many": (made.indexed(*NAMES, "more"), names),
        "from 0 on": (made.plain_list(*roads), roads),
    }


def draw(seed: int) -> Prey:
    """A source by chance."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    mask = _areas(rng, n)
    void = bool(rng.random() < 0.25)
    if void:
        mask[0] = 255
    writers = _writers(rng, n, void)
    lists = _lists(n)
    name = str(rng.choice(sorted(lists)))
    classes, called = lists[name]
    if name == "colored" and not void:
        # without colours of classes, nothing tells that its indices are in another order
        writers["permuted palette"] = _permuted(rng, n)
    names = sorted(writers)
    first, second = rng.choice(names, 2)
    odd = int(rng.choice([0, 0, 1, 2]))
    chosen = (*(writers[second],) * odd, *(writers[first],) * (3 - odd))
    return Prey(mask, n, chosen, classes, called)


def hunt_source(seed: int, folder: Path) -> str:
    """How a run over it ended."""
    prey = draw(seed)
    job, out = folder / "job", folder / "out"
    for image, mask in (("a", prey.mask), ("b", np.rot90(prey.mask).copy())):
        for worker, writer in enumerate(prey.writers):
            path = job / image / f"worker_{worker}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(writer(mask))
    _write_list(prey, job)
    try:
        summary = run_job(job, out, plain())
    except ConsolidationError:
        return ENDINGS[3]
    if summary.failures == 2:
        return ENDINGS[2]
    dropped = {one["worker"] for one in json_lines(out / "warnings.jsonl")}
    names = json.loads((out / "provenance.json").read_text())["classes"]
    for name, mask in (("a", prey.mask), ("b", np.rot90(prey.mask))):
        path = out / "masks" / f"{name}.png"
        if not path.exists():
            continue
        found = decode_indices(path.read_bytes())
        if found.shape != mask.shape:
            # most masks had been made smaller, along borders that left no trace of it
            return ENDINGS[1] if dropped else ENDINGS[0]
        if not _means(prey, mask, found, names):
            return ENDINGS[4]
    void = float((prey.mask == 255).mean())
    for line in (out / "images.csv").read_text().splitlines()[1:]:
        if not dropped and abs(_column(out, line, "ignored") - void) > 1e-4:
            return ENDINGS[4]
    if summary.failures:
        return ENDINGS[2]
    return ENDINGS[1] if dropped else ENDINGS[0]


def _column(out: Path, line: str, name: str) -> float:
    header = (out / "images.csv").read_text().splitlines()[0].split(",")
    found = [value for key, value in zip(header, line.split(","), strict=True) if name in key]
    return float(found[0] or 0)


def _means(prey: Prey, mask: Array, found: Array, names: list[str]) -> bool:
    """Whether a consensus says what the workers mean: areas, and names where they are listed."""
    if found.shape != mask.shape or not np.array_equal(found == 255, mask == 255):
        return False
    pairs = {(int(a), int(b)) for a, b in zip(mask.flat, found.flat, strict=True)}
    if len(pairs) != len({a for a, _ in pairs}) or len(pairs) != len({b for _, b in pairs}):
        return False
    for meant, index in pairs:
        if meant == 255:
            continue
        if meant == 0 and index != 0:
            return False
        if prey.names and names[index].lower() != prey.names[meant]:
            return False
    return True


def _write_list(prey: Prey, folder: Path) -> None:
    if prey.classes is not None:
        (folder / prey.classes[0]).write_text(prey.classes[1])


def hunt_truth(seed: int, folder: Path) -> str:
    """How an evaluation against it ended: what is right scores 1, and a blank mask less."""
    prey = draw(seed)
    truth = folder / "truth"
    truth.mkdir(parents=True)
    for image in range(2):
        (truth / f"{image}.png").write_bytes(prey.writers[image](prey.mask))
    _write_list(prey, truth)
    content: dict[str, Any] = {"classes": ["BACKGROUND", *NAMES[1 : prey.n_classes]], "options": {}}
    right = np.where(prey.mask == 255, 0, prey.mask).astype(np.uint8)
    for kind, mask in (("right", right), ("blank", right * 0)):
        run = folder / kind
        (run / "masks").mkdir(parents=True)
        for image in range(2):
            (run / "masks" / f"{image}.png").write_bytes(made.grey(mask))
        (run / "provenance.json").write_text(json.dumps(content))
    try:
        scores = evaluate_folders(folder / "right", truth)
        blank = evaluate_folders(folder / "blank", truth)
    except ConsolidationError:
        return ENDINGS[3]
    void = float((prey.mask == 255).mean())
    if scores.mean_iou != 1 or blank.mean_iou >= 1 or abs(scores.unknown - void) > 1e-9:
        return ENDINGS[4]
    return ENDINGS[0]

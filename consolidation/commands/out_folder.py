"""Where a run may write: into a folder that is empty or its own, and apart from its source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from consolidation import storage
from consolidation.errors import RunError
from consolidation.formats import Source
from consolidation.formats.place import RUN_FILE
from consolidation.jobs.folder.layout import CARDS, CONFIDENCE, MASKS, RESULTS, SOMETIMES


def refuse_strangers(out: str | Path) -> None:
    """Raise RunError if a folder holds files, hidden ones aside, and no run of ours."""
    if storage.exists(storage.join(out, RUN_FILE)):
        return
    stranger = first_file(out)
    if stranger is not None:
        raise RunError(
            f"{out} is no run's folder and not empty: it holds {stranger}; use another --out, or "
            "--force to write beside it"
        )


def first_file(folder: str | Path) -> str | None:
    """Name of a file below a folder, hidden ones aside; None if it is empty or not there."""
    return next(_visible(folder), None)


def refuse_overlap(source: str | Path, out: str | Path) -> None:
    """Raise RunError if a run would write over its source."""
    try:
        itself, inside = storage.same(_bare(source), _bare(out)), _below(source, out)
    except (OSError, ValueError, RuntimeError):
        # no name that a file can have: opening it says so
        return
    if itself:
        raise RunError(f"{out} is the source itself: use another --out")
    if inside is None:
        return
    first = inside.partition("/")[0]
    if first in (MASKS, CONFIDENCE, CARDS) or inside in (*RESULTS, *SOMETIMES):
        raise RunError(f"{source} lies where a run into {out} writes: use another --out")


def refuse_masks_of_its_own(source: Source, out: str | Path, names: Iterable[str]) -> None:
    """Raise RunError if what a run writes would be read as masks of its source."""
    inside = _below(out, source.folder)
    if inside is None:
        return
    for name in names:
        written = f"{inside}/{MASKS}/{name}.png"
        if source.reads(written):
            raise RunError(
                f"{out} lies in the source, whose masks match what is written there, as "
                f"{written}: use an --out elsewhere"
            )


def _visible(folder: str | Path) -> Iterator[str]:
    """Files below a folder, without hidden ones and those in hidden folders."""
    if storage.is_s3(folder):
        for entry in storage.entries(folder):
            if not any(part.startswith(".") for part in entry.name.split("/")):
                yield entry.name
        return
    root = storage.local(folder)
    for above, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield (Path(above) / name).relative_to(root).as_posix()


def _below(path: str | Path, folder: str | Path) -> str | None:
    """Name of a path below a folder; None if it does not lie there."""
    if storage.is_s3(path) != storage.is_s3(folder):
        return None
    if storage.is_s3(path):
        inner, outer = _bare(path), f"{_bare(folder)}/"
        return inner.removeprefix(outer) if inner.startswith(outer) else None
    inner_path, outer_path = (storage.local(name).resolve() for name in (path, folder))
    if inner_path == outer_path or not inner_path.is_relative_to(outer_path):
        return None
    return inner_path.relative_to(outer_path).as_posix()


def _bare(path: str | Path) -> str:
    return str(path).rstrip("/") if storage.is_s3(path) else str(path)

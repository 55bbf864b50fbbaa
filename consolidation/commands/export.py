"""A finished run in the form that a trainer or a painting tool reads: ``consolidate export``."""

from __future__ import annotations

import dataclasses
import heapq
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from consolidation import storage
from consolidation._version import __version__
from consolidation.commands.export_card import card
from consolidation.commands.export_split import Split, read_split
from consolidation.commands.out_folder import first_file
from consolidation.errors import ConsolidationError, OptionError, RunError
from consolidation.formats import open_source
from consolidation.formats.exporters import (
    EXPORTERS,
    IGNORED,
    PICTURES,
    Export,
    ExportClasses,
    Image,
    Picture,
)
from consolidation.formats.place import FOLDER
from consolidation.jobs.folder.finished import FinishedRun
from consolidation.jobs.folder.records import ImageRecord, Record
from consolidation.jobs.folder.request import RunRequest

STATE = f"{FOLDER}/export.json"
"""In the folder of an export: what it is of."""


@dataclass
class Exported:
    """What was written, and what was not.

    Attributes
    ----------
    images : int
    pixels, ignored, ignored_now : int
        All; those that are no class; those of them that were one in the run.
    class_pixels : dict of class index to int
    splits : dict of split to int
        Images of each.
    failed : dict of id to str
        Objects that have no mask, and why.
    without_picture : dict of id to str
        Objects that were written without a picture, and why.
    not_chosen : int
        Images that need no review.
    notes : list of str
        What the format lost.
    """

    images: int = 0
    pixels: int = 0
    ignored: int = 0
    ignored_now: int = 0
    class_pixels: Counter[int] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    without_picture: dict[str, str] = field(default_factory=dict)
    not_chosen: int = 0
    notes: list[str] = field(default_factory=list)


def export(
    run: str | Path,
    *,
    to: str,
    out: str | Path,
    pictures: str = "",
    split: str | float | Path = "",
    ignore_below: float = 0.0,
    review_below: float = 0.0,
    top: int = 0,
) -> Exported:
    """Write a finished run in another form.

    Parameters
    ----------
    run : path or ``s3://`` URI
        Folder of the run.
    to : str
        One of `consolidation.formats.exporters.EXPORTERS`.
    out : path or ``s3://`` URI
        Folder to write: empty, or with the same export in it.
    pictures : {"copy", "link", "leave"}, optional
        What becomes of the pictures; else what the format wants.
    split : float or path, optional
        Share of the images to train with, in (0, 1), the others are for validation; or a JSON
        file with ids by split.
    ignore_below : float, optional
        Pixels of less confidence, in [0, 1], become ignored. Needs the run's confidence maps.
    review_below : float, optional
        Only images of less confidence.
    top : int, optional
        Only that many images, those with the greatest need of review.

    Returns
    -------
    Exported

    Raises
    ------
    OptionError
        If an option is none, or means nothing in the format.
    RunError
        If there is no finished run, or the folder to write holds something else.
    ConsolidationError
        If something cannot be read, or the format cannot hold it.
    """
    if to not in EXPORTERS:
        raise OptionError(f"--to must be one of {', '.join(EXPORTERS)}, not {to!r}")
    kind = EXPORTERS[to]
    pictures = pictures or kind.pictures
    _check(pictures, ignore_below, review_below, top)
    if kind.needs_pictures and pictures == "leave":
        raise OptionError(f"--to {to} needs the pictures: --pictures copy or link")
    if split != "" and not kind.splits:
        raise OptionError(f"--to {to} has no splits: leave --split out")
    finished = FinishedRun(run)
    if finished.content["source"].get("multilabel"):
        raise RunError(f"{run} has a mask for each class (--multilabel), which has no export")
    if ignore_below and not finished.options["confidence_maps"]:
        raise RunError(
            f"{run} has no confidence maps, which --ignore-below needs: run again with "
            "--confidence-maps, into another folder or with --restart"
        )
    splits = read_split(split, [one.id for one in finished.records()])
    _begin(finished, out, to, pictures, splits, ignore_below, review_below, top)
    classes = ExportClasses(finished.names, finished.hex_colors())
    method = finished.options["method"]
    about = Export(str(out), classes, pictures, f"consolidation {__version__} {method}")
    chosen = _chosen(finished, review_below, top)
    folder = "" if pictures == "leave" else _folder_of(finished)
    told = Exported()
    with kind(about) as exporter:
        for record in finished.records():
            if record.image is None:
                told.failed[record.id] = record.reason or ""
            elif not chosen(record):
                told.not_chosen += 1
            else:
                image = _image(finished, record, record.image, splits, folder, ignore_below, told)
                if kind.needs_pictures and (image.picture is None or not image.picture.uri):
                    raise ConsolidationError(
                        f"{image.id} has no picture, which --to {to} needs: {_WITHOUT}"
                    )
                exporter.add(image)
        told.notes = exporter.finish()
    text = card(finished, kind.kind, classes, told, ignore_below, review_below, top)
    storage.write_bytes(storage.join(out, "README.md"), text.encode("utf-8", "backslashreplace"))
    return told


_WITHOUT = "the job names none (run --manifest FILE tells them)"


def _check(pictures: str, ignore_below: float, review_below: float, top: int) -> None:
    if pictures not in PICTURES:
        raise OptionError(f"--pictures must be one of {', '.join(PICTURES)}, not {pictures!r}")
    for name, value in (("--ignore-below", ignore_below), ("--review-below", review_below)):
        if not 0 <= value <= 1:
            raise OptionError(f"{name} must be 0 to 1, not {value:g}")
    if top < 0:
        raise OptionError(f"--top must be a number of images, not {top}")


def _begin(finished: FinishedRun, out: str | Path, *what: Any) -> None:
    """Say in the folder what it is going to hold; RunError if it holds something else."""
    path = storage.join(out, *STATE.split("/"))
    state = {
        "version": __version__,
        "run": {"about": finished.content["about"], "creation_date": finished.creation_date},
        "export": [dataclasses.asdict(one) if isinstance(one, Split) else one for one in what],
    }
    text = f"{json.dumps(state, indent=1, sort_keys=True)}\n".encode()
    if storage.exists(path):
        if storage.read_bytes(path) != text:
            raise RunError(f"{out} holds another export: use another --out")
        return
    stranger = first_file(out)
    if stranger is not None:
        raise RunError(f"{out} is not empty: it holds {stranger}; use another --out")
    storage.write_bytes(path, text)


def _chosen(finished: FinishedRun, below: float, top: int) -> Callable[[Record], bool]:
    """Whether an object is to be exported."""
    if not below and not top:
        return lambda record: True
    needs = (
        (-one.image.need, one.id)
        for one in finished.records()
        if one.image is not None and (not below or one.image.confidence < below)
    )
    kept: Collection[str] = {id_ for _, id_ in (heapq.nsmallest(top, needs) if top else needs)}
    return lambda record: record.id in kept


def _folder_of(finished: FinishedRun) -> str:
    """Where relative names of pictures start from."""
    request = RunRequest.from_dict(finished.content["source"], finished.options)
    try:
        return open_source(request.source, request.reading).folder
    except ConsolidationError as error:
        raise ConsolidationError(
            f"the run's source is needed for the pictures, or --pictures leave: {error}"
        ) from None


def _image(
    finished: FinishedRun,
    record: Record,
    about: ImageRecord,
    splits: Split,
    folder: str,
    ignore_below: float,
    told: Exported,
) -> Image:
    """Image of a record; counts what is in it."""
    mask = finished.mask(record)
    before = int((mask == IGNORED).sum())
    if ignore_below:
        levels = finished.confidence(record)
        assert levels is not None
        # levels are rounded: one that stands for the threshold itself is kept
        mask = np.where(levels < round(255 * ignore_below), np.uint8(IGNORED), mask)
    counts = np.bincount(mask.reshape(-1), minlength=256)
    told.images += 1
    told.pixels += mask.size
    told.ignored += int(counts[IGNORED])
    told.ignored_now += int(counts[IGNORED]) - before
    for index in np.flatnonzero(counts[:IGNORED]).tolist():
        told.class_pixels[index] += int(counts[index])
    split = splits.of(record.id)
    told.splits[split] += 1
    means: Mapping[int, float] = {int(key): pair[1] for key, pair in record.classes.items()}
    picture = _picture(record, folder)
    if picture is None:
        told.without_picture[record.id] = _WITHOUT
    name = record.files[0].partition("/")[2].removesuffix(".png")
    return Image(record.id, name, split, mask, about.confidence, means, picture)


def _picture(record: Record, folder: str) -> Picture | None:
    uri = json.loads(record.line).get("source-ref")
    if not isinstance(uri, str) or not uri:
        return None
    if not folder:
        return Picture(uri)
    return Picture(uri, uri if storage.is_s3(uri) else storage.join(folder, uri))

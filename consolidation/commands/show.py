"""One object of a finished run on one card: the command ``consolidate show``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from consolidation import storage
from consolidation.consensus import Calibration, Choice, Reliability, WorkerConfusion
from consolidation.errors import ConsolidationError, RunError
from consolidation.formats import SourceOptions, job_classes, open_source
from consolidation.jobs.folder.layout import CARDS, CONFUSION, PROVENANCE, RELIABILITY
from consolidation.jobs.folder.state import read_run
from consolidation.jobs.results.pictures import picture_bytes
from consolidation.names import file_names
from consolidation.objects.pipeline import consolidate_object
from consolidation.options import Options
from consolidation.report import show
from consolidation.text import shown


def show_object(out: str | Path, object_id: str) -> str:
    """Draw one object of a run as it was decided; return the path of the PNG in the folder.

    Parameters
    ----------
    out : path or ``s3://`` URI
        Folder of the run, whose source must still be there.
    object_id : str

    Raises
    ------
    RunError
        If the folder holds no finished run, or the object is none of it.
    ConsolidationError
        If the source cannot be read, or the object failed.
    """
    content = read_run(str(out))
    if content is None or "summary" not in content:
        raise RunError(f"{out} holds no finished run")
    decided_with, read_from = content["about"]["options"], dict(content["source"])
    known = Options.table().keys() & decided_with.keys()
    options = Options(**{name: decided_with[name] for name in known})
    path, labels = read_from.pop("path"), read_from["labels"]
    options = replace(options, calibration=read_from.pop("calibration"))
    how = SourceOptions(**read_from, max_pixels=options.max_pixels, limits=options.limits)
    opened = open_source(path, how)
    if opened.stamp() != content["about"]["input"]:
        raise RunError(f"{path} is not what it was when it was consolidated")
    item = next((one for one in opened.items if one.id == object_id), None)
    if item is None:
        some = ", ".join(one.id for one in opened.items[:5])
        raise RunError(f"{shown(object_id)} is no object of this run; the first are {some}")
    classes = job_classes(opened, labels)
    calibration = None
    if options.calibration:
        data = storage.read_bytes(options.calibration)
        if hashlib.sha256(data).hexdigest() != content["about"]["calibration"]:
            raise RunError(f"{options.calibration} is not what it was when it was used")
        calibration = Calibration.from_json(data, options.calibration)
    obj = item.load()
    learnt = _learnt(str(out), options)
    result = consolidate_object(obj, classes, options, learnt, calibration=calibration)
    size = result.consensus.labels.shape
    try:
        picture = picture_bytes(obj.line, opened.folder)
    except ConsolidationError:
        picture = None
    card = show(
        result.consensus,
        picture,
        names=[one.name for one in result.classes],
        colors=[one.color for one in result.classes],
        title=f"{object_id}, {size[1]} x {size[0]}",
    )
    name = file_names(opened.ids)[object_id]
    path = storage.join(out, CARDS, f"{name}.png")
    storage.write_bytes(path, card.png)
    return path


def _learnt(out: str, options: Options) -> Choice | Any:
    """What the run learnt about its workers, from the files it wrote."""
    if options.method == "plurality":
        return None
    if options.method == "dawid-skene":
        path = storage.join(out, CONFUSION)
        return WorkerConfusion.from_json(storage.read_bytes(path), path)
    path = storage.join(out, RELIABILITY)
    estimate = Reliability.from_json(storage.read_bytes(path), path).estimate()
    if options.method == "weighted":
        return estimate
    provenance: Mapping[str, Any] = json.loads(storage.read_bytes(storage.join(out, PROVENANCE)))
    return Choice.of(estimate, provenance["auto"])

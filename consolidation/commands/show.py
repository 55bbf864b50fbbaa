"""One object of a finished run on one card: the command ``consolidate show``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consolidation import storage
from consolidation.consensus import Choice, Reliability, WorkerConfusion
from consolidation.errors import ConsolidationError, RunError
from consolidation.jobs.folder.layout import CARDS, CONFUSION, PROVENANCE, RELIABILITY
from consolidation.jobs.folder.request import RunRequest
from consolidation.jobs.folder.run_folder import read_run
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
    opened = RunRequest.from_dict(content["source"], content["about"]["options"]).open()
    source, options = opened.source, opened.request.options
    for what, path in (("input", opened.request.source), ("calibration", options.calibration)):
        if opened.identity.get(what) != content["about"].get(what):
            raise RunError(f"{path} is not what it was when the run was made")
    item = next((item for item in source.items if item.id == object_id), None)
    if item is None:
        some = ", ".join(item.id for item in source.items[:5])
        raise RunError(f"{shown(object_id)} is no object of this run; the first are {some}")
    obj = item.load()
    learnt = _learnt(str(out), options)
    calibration = opened.calibration
    result = consolidate_object(obj, opened.classes, options, learnt, calibration=calibration)
    size = result.consensus.labels.shape
    try:
        picture = picture_bytes(obj.line, source.folder)
    except ConsolidationError:
        picture = None
    card = show(
        result.consensus,
        picture,
        names=[mask_class.name for mask_class in result.classes],
        colors=[mask_class.color for mask_class in result.classes],
        title=f"{object_id}, {size[1]} x {size[0]}",
    )
    name = file_names(source.ids)[object_id]
    path = storage.join(out, CARDS, f"{name}.png")
    storage.write_bytes(path, card.png)
    return path


def _learnt(out: str, options: Options) -> Choice | Any:
    """What the run learnt about its workers, from the files it wrote."""
    if not options.spec.learns:
        return None
    if options.spec.learns_confusion:
        path = storage.join(out, CONFUSION)
        return WorkerConfusion.from_json(storage.read_bytes(path), path)
    path = storage.join(out, RELIABILITY)
    estimate = Reliability.from_json(storage.read_bytes(path), path).estimate()
    if not options.spec.chooses:
        return estimate
    provenance: Mapping[str, Any] = json.loads(storage.read_bytes(storage.join(out, PROVENANCE)))
    return Choice.of(estimate, provenance["auto"])

"""`run_job`: from a path to a folder of results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from consolidation import storage
from consolidation._version import __version__
from consolidation.consensus import Calibration, Reliability
from consolidation.errors import OptionError, RunError, SourceError
from consolidation.formats import SourceOptions, job_classes, open_source
from consolidation.jobs.folder.layout import MANIFEST
from consolidation.jobs.runner import JobRun, Progress, Summary
from consolidation.jobs.work.objects import NO_RELIABILITY
from consolidation.masks import ENCODER
from consolidation.options import Options


def run_job(
    source: str | Path,
    out: str | Path,
    options: Options | None = None,
    *,
    labels: str | Path | None = None,
    source_options: SourceOptions | None = None,
    reliability: str | Path | None = None,
    restart: bool = False,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Consolidate every object of a source and write the results.

    Stopped at any instant and called again in the same way, it goes on where it was, and ends
    with the bytes of a run that was never stopped.

    Parameters
    ----------
    source : path or ``s3://`` URI
        A consolidation-request JSON or a folder of them, a finished Ground Truth job, or a folder
        of masks.
    out : path or ``s3://`` URI
        Folder for the results; made if needed.
    options : Options, optional
    labels : path or URI, optional
        Label-categories file; without it the source tells its classes.
    source_options : SourceOptions, optional
    reliability : path or URI, optional
        The ``reliability.json`` of earlier jobs by the same workers, to go on from.
    restart : bool, optional
        Forget what an earlier run left in the folder, whatever it was about.
    retry_failed : bool, optional
        Try the objects again that failed before.
    on_progress : callable, optional
        Called after each object.

    Returns
    -------
    Summary

    Raises
    ------
    SourceError
        If the source cannot be read or is empty. Objects that fail do not raise; they are
        counted and stand in ``failures.jsonl``.
    OptionError
        If options do not go together.
    RunError
        If the folder holds a run with other options, classes or inputs, or another run is
        writing into it, or a worker process was killed.
    StorageError
        If results cannot be written.
    """
    options = options or Options()
    source_options = replace(
        source_options or SourceOptions(), labels=labels, limits=options.limits
    )
    if options.backend == "dask":
        # a cluster's processes have a working folder of their own
        source, out = absolute(source), absolute(out)
    opened = open_source(source, source_options)
    classes = job_classes(opened, labels)
    about = {
        "version": __version__,
        "mask encoder": ENCODER,
        # a calibration is what it says, wherever it lies
        "options": {key: one for key, one in options.results().items() if key != "calibration"}
        | {"masks": source_options.masks, "missing_is_blank": source_options.missing_is_blank},
        # by index: the same names in another order are other classes
        "classes": {
            str(at): f"{name} {classes.colors.get(at, '')}".rstrip()
            for at, name in enumerate(classes.names)
        },
        "input": opened.stamp(),
        "manifest": "" if opened.manifest is None else opened.manifest.stamp(),
    }
    known = None
    if reliability is not None and options.method in NO_RELIABILITY:
        raise OptionError(f"--reliability is of no use to --method {options.method}")
    if reliability is not None:
        data = storage.read_bytes(reliability)
        about["reliability"] = hashlib.sha256(data).hexdigest()
        try:
            known = Reliability.from_json(data, str(reliability))
        except ValueError as error:
            raise SourceError(str(error)) from None
    where = str(out) if storage.is_s3(out) else str(storage.local(out))
    if opened.manifest is not None and storage.same(
        opened.manifest.uri, storage.join(where, MANIFEST)
    ):
        raise RunError(f"{opened.manifest.uri} is read, and cannot be written: use another --out")
    calibration = None
    if options.calibration:
        data = storage.read_bytes(options.calibration)
        about["calibration"] = hashlib.sha256(data).hexdigest()
        try:
            calibration = Calibration.from_json(data, options.calibration)
        except ValueError as error:
            raise SourceError(str(error)) from None
    read_from = {
        "path": absolute(source),
        "masks": source_options.masks,
        "missing_is_blank": source_options.missing_is_blank,
        "labels": None if labels is None else absolute(labels),
        "manifest": None if source_options.manifest is None else absolute(source_options.manifest),
        "calibration": absolute(options.calibration) if options.calibration else "",
    }
    run = JobRun(opened, classes, where, options, about, read_from, known, calibration)
    return run.run(on_progress, restart=restart, retry_failed=retry_failed)


def absolute(path: str | Path) -> str:
    """Path that means the same in any folder; URIs as they are."""
    return str(path) if storage.is_s3(path) else str(storage.local(path).absolute())

"""`run_job`: from a path to a folder of results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from consolidation import storage
from consolidation.commands.out_folder import (
    refuse_masks_of_its_own,
    refuse_overlap,
    refuse_strangers,
)
from consolidation.errors import RunError
from consolidation.formats import SourceOptions
from consolidation.jobs import JobRun, Progress, Summary
from consolidation.jobs.folder.layout import MANIFEST
from consolidation.jobs.folder.request import RunRequest
from consolidation.names import file_names
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
    force: bool = False,
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
    force : bool, optional
        Write into a folder that holds strangers' files, too.
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
        If the folder holds a run with other options, classes or inputs, or strangers' files, or
        overlaps with the source; if another run is writing into it, or a worker process was killed.
    StorageError
        If results cannot be written.
    """
    options, reading = options or Options(), source_options or SourceOptions()
    if options.backend == "dask":
        # a cluster's processes have a working folder of their own
        source, out = storage.absolute(source), storage.absolute(out)
    folder = str(out) if storage.is_s3(out) else str(storage.local(out))
    refuse_overlap(source, folder)
    if not force:
        refuse_strangers(folder)
    opened = RunRequest.of(source, options, reading, labels, reliability).open()
    refuse_masks_of_its_own(opened.source, folder, file_names(opened.source.ids).values())
    manifest = opened.source.manifest
    if manifest is not None and storage.same(manifest.uri, storage.join(folder, MANIFEST)):
        raise RunError(f"{manifest.uri} is read, and cannot be written: use another --out")
    run = JobRun(opened, folder, on_progress)
    summary = run.run(restart=restart, retry_failed=retry_failed)
    classes = opened.classes
    return replace(
        summary,
        background=classes.has_background,
        values="" if classes.meaning is None else classes.meaning.text,
        notes=tuple(opened.source.notes),
    )

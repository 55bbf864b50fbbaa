"""`run_job`: from a path to a folder of results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from consolidation import storage
from consolidation.consensus import Reliability
from consolidation.errors import SourceError
from consolidation.groundtruth import parse_classes
from consolidation.jobs.runner import JobRun, Progress, Summary
from consolidation.jobs.sources import Source, SourceOptions, open_source
from consolidation.masks import Classes
from consolidation.options import Options


def run_job(
    source: str | Path,
    out: str | Path,
    options: Options | None = None,
    *,
    labels: str | Path | None = None,
    source_options: SourceOptions | None = None,
    reliability: str | Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Summary:
    """Consolidate every object of a source and write the results.

    Parameters
    ----------
    source : path
        A consolidation-request JSON or a folder of them, or a folder of masks.
    out : path
        Folder for the results; made if needed.
    options : Options, optional
    labels : path, optional
        Label-categories file; without it the source tells its classes.
    source_options : SourceOptions, optional
    reliability : path, optional
        The ``reliability.json`` of earlier jobs by the same workers, to go on from.
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
    """
    for name, path in (("the source", source), ("the output folder", out)):
        if storage.is_s3(str(path)):
            raise SourceError(f"{name} cannot be {path}: whole jobs are read and written locally")
    opened = open_source(source, source_options)
    classes = job_classes(opened, labels)
    prepare_folder(Path(out))
    known = None
    if reliability is not None:
        try:
            known = Reliability.from_json(storage.read_bytes(reliability), str(reliability))
        except ValueError as error:
            raise SourceError(str(error)) from None
    return JobRun(opened, classes, Path(out), options or Options(), known).run(on_progress)


def prepare_folder(out: Path) -> None:
    """Make the output folder and see that it can be written, before hours of work."""
    probe = out / ".writable"
    storage.write_bytes(probe, b"")
    probe.unlink()


def job_classes(source: Source, labels: str | Path | None) -> Classes:
    """Classes of a label-categories file if given, else what the source tells."""
    if labels is None:
        return source.classes()
    if not storage.is_s3(labels) and not Path(labels).is_file():
        raise SourceError(f"{labels} does not exist")
    return parse_classes(storage.read_bytes(labels), str(labels))

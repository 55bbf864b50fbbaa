"""The demonstration: simulate a small job, consolidate it, compare with the known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consolidation import storage
from consolidation.commands.evaluate import evaluate_folders
from consolidation.commands.run import run_job
from consolidation.evaluation import Evaluation
from consolidation.jobs.runner import Progress, Summary
from consolidation.options import Options
from consolidation.simulation import simulate_job


@dataclass(frozen=True)
class Demo:
    """What the demonstration did."""

    job: Path
    results: Path
    summary: Summary
    evaluation: Evaluation


def run_demo(
    out: str | Path,
    options: Options | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Demo:
    """Write a simulated job to ``out/job`` and its consolidation to ``out/results``.

    Raises
    ------
    SourceError
        If `out` is an ``s3://`` URI: a simulated job is written to a local folder.
    """
    job = simulate_job(storage.join(out, "job"))
    results = storage.local(out) / "results"
    summary = run_job(job.folder, results, options, restart=True, on_progress=on_progress)
    return Demo(job.folder, results, summary, evaluate_folders(results, job.truth))

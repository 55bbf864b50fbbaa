"""What the command line says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consolidation.text import printable

if TYPE_CHECKING:
    from consolidation.jobs import Summary

FINDINGS = 12
"""Most sentences on workers that are printed."""


def summary_text(summary: Summary, out: str | Path) -> str:
    """How a run ended, for a person."""
    confidence = "none" if summary.confidence is None else f"{summary.confidence:.3f}"
    lines = [
        f"{summary.images:,} images consolidated into {out}",
        f"  workers          {summary.workers:,}",
        f"  classes          {summary.classes}" + (" with background" * summary.background),
        *_read_as(summary),
        f"  disputed pixels  {summary.disputed:.2%}",
        f"  labelled by none {summary.unlabelled:.2%}, and {summary.void:.2%} void on purpose",
        f"  mean confidence  {confidence}",
        f"  warnings         {summary.warnings:,}" + _see(summary.warnings, "warnings.jsonl"),
        f"  failures         {summary.failures:,}" + _see(summary.failures, "failures.jsonl"),
    ]
    if summary.now:
        lines.append(f"  images a second  {summary.now / summary.seconds:.1f}")
    else:
        lines.append("  nothing was left to do: this run was finished before")
    if summary.now and summary.now < summary.images + summary.failures:
        before = summary.images + summary.failures - summary.now
        lines.append(f"  done before      {before:,}, {summary.now:,} now")
    if summary.method:
        lines.append(f"  method           {summary.method}")
    lines += [f"  workers          {finding}" for finding in summary.findings[:FINDINGS]]
    if len(summary.findings) > FINDINGS:
        more = len(summary.findings) - FINDINGS
        lines.append(f"  workers          {more:,} more notes on workers in workers.csv")
    lines += [f"  same answers     {one} and {other}" for one, other in summary.twins]
    return "\n".join(lines)


def _read_as(summary: Summary) -> list[str]:
    """How the masks were read, where values could have meant something else."""
    lines = [f"  values           {summary.values}"] if summary.values else []
    return lines + [f"  note             {note}" for note in summary.notes]


def _see(count: int, name: str) -> str:
    return f"  (see {name})" if count else ""


def say(text: str) -> None:
    """Print for a terminal that obeys nothing in it."""
    sys.stdout.write(printable(text, sys.stdout.encoding) + "\n")


def complain(text: str) -> None:
    """Say what is wrong, in one line."""
    sys.stderr.write(printable(text.replace("\n", "\\n"), sys.stderr.encoding) + "\n")

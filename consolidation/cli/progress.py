"""Progress of a run as people and machines want it: a bar, lines of JSON, or nothing."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consolidation.jobs import Progress

EVERY = 1.0
"""Seconds between two lines of JSON."""
DRAWN_EVERY = 0.1
"""Seconds between two states of the bar."""
MODES = ("auto", "bar", "json", "off")


@contextlib.contextmanager
def progress(mode: str) -> Iterator[Callable[[Progress], None]]:
    """Show progress on stderr while the block runs.

    `mode` is ``bar``, ``json`` (one line a second, and one at the end), ``off``, or ``auto``: a bar
    where there is a terminal.
    """
    if mode == "auto":
        mode = "bar" if sys.stderr.isatty() else "off"
    if mode == "bar":
        with _bar() as show:
            yield show
    elif mode == "json":
        with _json_lines() as show:
            yield show
    else:
        yield lambda _: None


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    notes = TextColumn(
        "{task.fields[rate]}{task.fields[warnings]} warnings, {task.fields[failures]} failures"
    )
    # no thread that draws: processes are forked only where there is no other thread
    console = Console(stderr=True)
    with Bar(*columns, notes, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=None, rate="", warnings=0, failures=0)
        drawn = -math.inf

        def show(at: Progress) -> None:
            nonlocal drawn
            now = time.monotonic()
            due = now - drawn >= DRAWN_EVERY or at.done == at.total
            drawn = now if due else drawn
            speed = bar.tasks[0].speed
            bar.update(
                task,
                completed=at.done,
                total=at.total,
                rate="" if speed is None else f"{speed:.1f} a second, ",
                warnings=at.warnings,
                failures=at.failures,
                refresh=due,
            )

        yield show


@contextlib.contextmanager
def _json_lines() -> Iterator[Callable[[Progress], None]]:
    started = last = time.monotonic()
    latest: Progress | None = None

    def write(at: Progress) -> None:
        seconds = time.monotonic() - started
        line = {**vars(at), "seconds": round(seconds, 3)}
        sys.stderr.write(json.dumps(line) + "\n")

    def show(at: Progress) -> None:
        nonlocal last, latest
        latest = at
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            write(at)

    try:
        yield show
    finally:
        if latest is not None:
            write(latest)

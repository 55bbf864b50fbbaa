"""The command `consolidate demo`."""

from __future__ import annotations

import argparse

from consolidation.cli.arguments import (
    SOME_FAILED,
    add_options,
    options_of,
    progress_of,
)
from consolidation.cli.printing import say, summary_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--out", default="demo", metavar="DIR", help="folder to write (parser)")
    add_options(parser)


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.demo import run_demo

    with progress_of(arguments) as on_progress:
        demo = run_demo(arguments.out, options_of(arguments), on_progress)
    if not arguments.quiet:
        say(f"simulated job in {demo.job}")
        say(summary_text(demo.summary, demo.results))
        say("\n" + demo.evaluation.table())
    return SOME_FAILED if demo.summary.failures else 0

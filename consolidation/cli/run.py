"""The command `consolidate run`."""

from __future__ import annotations

import argparse

from consolidation.cli.arguments import (
    SOME_FAILED,
    add_options,
    add_source,
    options_of,
    progress_of,
    source_options_of,
)
from consolidation.cli.printing import say, summary_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_source(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--reliability",
        metavar="FILE",
        help="reliability.json of earlier jobs by the same workers, to go on from",
    )
    parser.add_argument(
        "--restart", action="store_true", help="forget what an earlier run left in the folder"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try the objects again that failed before"
    )
    parser.add_argument(
        "--force", action="store_true", help="write into a folder that holds other files, too"
    )
    add_options(parser)


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.run import run_job

    options = options_of(arguments)
    with progress_of(arguments) as on_progress:
        summary = run_job(
            arguments.source,
            arguments.out,
            options,
            labels=arguments.labels,
            source_options=source_options_of(arguments),
            reliability=arguments.reliability,
            restart=arguments.restart,
            retry_failed=arguments.retry_failed,
            force=arguments.force,
            on_progress=on_progress,
        )
    if not arguments.quiet:
        say(summary_text(summary, arguments.out))
    return SOME_FAILED if summary.failures else 0

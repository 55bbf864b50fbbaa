"""The command `consolidate calibrate`."""

from __future__ import annotations

import argparse

from consolidation.cli.arguments import (
    add_options,
    add_source,
    options_of,
    progress_of,
    refuse_folder,
    source_options_of,
)
from consolidation.cli.printing import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_source(parser)
    parser.add_argument(
        "truth",
        metavar="TRUTH",
        nargs="?",
        help="folder of <id>.png or <id>/truth.png, or what a tool exported of one annotator; "
        "without it, annotations of SOURCE that are marked as the truth",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="calibration to write")
    add_options(parser, of_vote_only=True)


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation import storage
    from consolidation.commands.calibrate import calibrate

    options = options_of(arguments)
    refuse_folder("--out", arguments.out)
    with progress_of(arguments) as on_progress:
        learnt = calibrate(
            arguments.source,
            arguments.truth,
            options,
            labels=arguments.labels,
            source_options=source_options_of(arguments),
            on_progress=on_progress,
        )
    storage.write_bytes(arguments.out, learnt.calibration.to_json().encode())
    if not arguments.quiet:
        say(f"{learnt.table()}\nnext: consolidate run ... --calibration {arguments.out}")
    return 0

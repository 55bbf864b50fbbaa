"""The command `consolidate evaluate`."""

from __future__ import annotations

import argparse
import json

from consolidation.cli.arguments import (
    add_reading,
    options_of,
    refuse_folder,
)
from consolidation.cli.printing import say
from consolidation.errors import ConsolidationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("predicted", metavar="PREDICTED", help="results of a run, or a folder")
    parser.add_argument(
        "truth",
        metavar="TRUTH",
        help="folder of <id>.png or <id>/truth.png, or what a tool exported: annotations marked as "
        "the truth, or those of one annotator",
    )
    add_reading(parser)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument(
        "--diagram",
        metavar="FILE",
        help="where to draw how often confidence was right, if the run wrote confidence maps "
        "(PREDICTED/reliability.png); its report.html shows it too",
    )


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.evaluate import evaluate_folders
    from consolidation.formats.values import ValueReading

    if arguments.diagram:
        refuse_folder("--diagram", arguments.diagram)
    reading = ValueReading.of(options_of(arguments))
    scores = evaluate_folders(arguments.predicted, arguments.truth, reading=reading)
    if arguments.diagram and scores.confidence is None:
        raise ConsolidationError(f"{arguments.predicted} holds no confidence maps: nothing to draw")
    say(json.dumps(scores.as_dict(), indent=2) if arguments.json else scores.table())
    if scores.confidence is not None:
        from consolidation.commands.diagrams import write_diagrams

        written = write_diagrams(scores.confidence, scores.folder, arguments.diagram)
        if not arguments.json:
            say(f"\nreliability diagram in {' and '.join(written)}")
    return 0

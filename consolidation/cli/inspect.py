"""The command `consolidate inspect`."""

from __future__ import annotations

import argparse

from consolidation.cli.arguments import (
    add_source,
    options_of,
    source_options_of,
)
from consolidation.cli.printing import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_source(parser)
    parser.add_argument(
        "--all", action="store_true", help="look into every object of a large source, too"
    )


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.inspect import inspect_source

    found = inspect_source(
        arguments.source,
        options_of(arguments),
        labels=arguments.labels,
        source_options=source_options_of(arguments),
        everything=arguments.all,
    )
    say(found.table())
    return 0

"""The command `consolidate show`."""

from __future__ import annotations

import argparse

from consolidation.cli.printing import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("image", metavar="IMAGE_ID", help="the image's id, as in images.csv")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the run's results")


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.show import show_object

    say(show_object(arguments.out, arguments.image))
    return 0

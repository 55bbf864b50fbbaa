"""The command `consolidate paint`."""

from __future__ import annotations

import argparse

from consolidation.cli.printing import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("pictures", metavar="IMAGE|FOLDER", help="a picture, or a folder of them")
    parser.add_argument(
        "--labels", required=True, metavar="A,B,C", help="labels, or a file of them"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for masks and answers")
    parser.add_argument("--masks", metavar="PLACE", help="masks to begin with: a folder, or a file")
    parser.add_argument("--worker", metavar="NAME", help="who paints (me)")
    parser.add_argument("--template", metavar="FILE", help="task template of one's own (Liquid)")
    parser.add_argument("--port", type=int, metavar="N", help="port on this machine (8377)")
    parser.add_argument("--language", choices=("en", "de"), default="", help="(the browser's)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.paint import PORT, paint, read_labels

    paint(
        arguments.pictures,
        read_labels(arguments.labels),
        arguments.out,
        masks=arguments.masks,
        worker=arguments.worker,
        template=arguments.template,
        port=PORT if arguments.port is None else arguments.port,
        language=arguments.language,
        browser=not arguments.no_browser,
        say=say,
    )
    return 0

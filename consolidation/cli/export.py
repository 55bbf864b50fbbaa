"""The command `consolidate export`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from consolidation.cli.printing import say

if TYPE_CHECKING:
    from consolidation.commands.export import Exported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    from consolidation.formats.exporters import EXPORTERS, PICTURES

    parser.add_argument("run", metavar="DIR", help="folder of a finished run")
    kinds = ", ".join(f"{name} ({kind.kind})" for name, kind in EXPORTERS.items())
    parser.add_argument(
        "--to", required=True, metavar="FORMAT", choices=tuple(EXPORTERS), help=kinds
    )
    parser.add_argument("--out", required=True, metavar="PLACE", help="empty folder to write")
    parser.add_argument(
        "--pictures",
        default="",
        choices=PICTURES,
        help="what becomes of the pictures (what the format wants)",
    )
    parser.add_argument(
        "--split",
        default="",
        metavar="FILE|SHARE",
        help="share of the images to train with, such as 0.8; or a JSON file with ids by split",
    )
    parser.add_argument(
        "--ignore-below",
        type=float,
        default=0.0,
        metavar="C",
        help="pixels of less confidence become ignored; needs a run with --confidence-maps",
    )
    parser.add_argument(
        "--review-below",
        type=float,
        default=0.0,
        metavar="C",
        help="only images of less confidence",
    )
    parser.add_argument(
        "--top",
        type=int,
        default=0,
        metavar="N",
        help="only the N images in most need of review",
    )


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.export import export

    told = export(
        arguments.run,
        to=arguments.to,
        out=arguments.out,
        pictures=arguments.pictures,
        split=arguments.split,
        ignore_below=arguments.ignore_below,
        review_below=arguments.review_below,
        top=arguments.top,
    )
    say("\n".join([f"{told.images:,} images written to {arguments.out}", *_more(told)]))
    return 0


def _more(told: Exported) -> list[str]:
    """What else is to be said."""
    lines = [f"  {split:<16} {n:,} images" for split, n in sorted(told.splits.items())]
    share = told.ignored / told.pixels if told.pixels else 0.0
    lines.append(
        f"  ignored pixels   {told.ignored:,} ({share:.2%}), {told.ignored_now:,} for confidence"
    )
    if told.not_chosen:
        lines.append(f"  not in review    {told.not_chosen:,} images")
    for what, ids in (("failed", told.failed), ("no picture", told.without_picture)):
        if ids:
            lines.append(f"  {what:<16} {len(ids):,} images (see README.md)")
    return lines + [f"  note             {note}" for note in told.notes]

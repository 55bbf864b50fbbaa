"""The command `consolidate segment`."""

from __future__ import annotations

import argparse

from consolidation.cli.arguments import (
    SOME_FAILED,
    refuse_folder,
)
from consolidation.cli.printing import complain, say
from consolidation.errors import OptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="picture; local or s3://")
    parser.add_argument("--out", required=True, metavar="PLACE", help="PNG, or with --boxes folder")
    for flag, metavar, text in (
        ("points", "X,Y", "the object's topmost, rightmost, lowest and leftmost point"),
        ("plus", "X,Y", "places that belong to the object"),
        ("minus", "X,Y", "places that do not"),
    ):
        parser.add_argument(f"--{flag}", nargs="+", default=[], metavar=metavar, help=text)
    parser.add_argument("--box", metavar="X,Y,W,H", help="the object's box, instead of points")
    parser.add_argument(
        "--alternative",
        choices=("vote", "smooth", "path", "star"),
        default="vote",
        help="which candidate (vote)",
    )
    parser.add_argument(
        "--segmenter",
        metavar="FILE[,FILE]",
        help="ONNX files of a model to use instead: SAM, SAM 2, EfficientSAM or DEXTR-like",
    )
    parser.add_argument(
        "--boxes",
        metavar="FILE",
        help="box annotations to turn into masks: COCO, YOLO, or a Ground Truth manifest",
    )
    parser.add_argument("--images", metavar="DIR", help="folder of the boxes' pictures (FILE's)")


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.commands.segment import segment_boxes, segment_picture

    if (arguments.image is None) == (arguments.boxes is None):
        raise OptionError("segment takes either an IMAGE with --points or --box, or --boxes FILE")
    one_object = ("points", "plus", "minus", "box")
    if arguments.boxes is not None and any(getattr(arguments, name) for name in one_object):
        raise OptionError("--boxes goes without --points, --plus, --minus and --box")
    if arguments.alternative != "vote" and (
        arguments.boxes is not None or arguments.segmenter is not None
    ):
        raise OptionError("--alternative goes without --boxes and --segmenter")
    if arguments.boxes is not None:
        made = segment_boxes(
            arguments.boxes, arguments.out, images=arguments.images, segmenter=arguments.segmenter
        )
        boxes = f"{made.boxes} boxes of {made.pictures} pictures ({made.kind})"
        say(f"{boxes} have masks in {arguments.out}")
        for failure in made.failures:
            complain(f"consolidate: {failure}")
        return SOME_FAILED if made.failures else 0
    refuse_folder("--out", arguments.out)
    found = segment_picture(
        arguments.image,
        arguments.out,
        arguments.points,
        box=arguments.box,
        plus=arguments.plus,
        minus=arguments.minus,
        alternative=arguments.alternative,
        segmenter=arguments.segmenter,
    )
    left, top, width, height = found.box
    say(f"{width} x {height} at {left}, {top}; confidence {found.confidence:.2f}: {arguments.out}")
    return 0

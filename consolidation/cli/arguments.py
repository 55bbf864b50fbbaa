"""The arguments of every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from consolidation._version import __version__
from consolidation.cli.printing import complain
from consolidation.cli.progress import MODES

if TYPE_CHECKING:
    from consolidation.options import Option

WRONG_USAGE = 2
"""Exit status."""

Command = Callable[[argparse.Namespace], int]
"""Does what was asked for, and returns the exit status."""

_OF_FILES = (
    *("confidence_maps", "calibration"),
    *("label_attribute", "mask_uri_prefix", "job_name"),
)
"""Options of what becomes of a vote that has been taken."""

_EPILOG = """\
start here:
  consolidate demo                            see it work on a simulated job
  consolidate inspect SOURCE                  what is in there
  consolidate run SOURCE --out results        one mask, one confidence an image
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        complain(f"{self.prog}: {message} (see {self.prog} --help)")
        raise SystemExit(WRONG_USAGE)


def command_parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Parser of the command line; what it returns holds the command and its name."""
    parser = _Parser(
        prog="consolidate",
        description="Merge several workers' segmentation masks into one, with confidence.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"consolidation {__version__}")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        one = group.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        one.set_defaults(command=commands[name], name=name)
        return one

    demo = command("demo", "simulate a small job, consolidate it, show the accuracy")
    demo.add_argument("--out", default="demo", metavar="DIR", help="folder to write (demo)")
    _add_options(demo)

    run = command("run", "consolidate a labeling job")
    _add_source(run)
    run.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    run.add_argument(
        "--reliability",
        metavar="FILE",
        help="reliability.json of earlier jobs by the same workers, to go on from",
    )
    run.add_argument(
        "--restart", action="store_true", help="forget what an earlier run left in the folder"
    )
    run.add_argument(
        "--retry-failed", action="store_true", help="try the objects again that failed before"
    )
    run.add_argument(
        "--force", action="store_true", help="write into a folder that holds other files, too"
    )
    _add_options(run)

    show = command("show", "draw one image of a run: picture, masks, consensus, confidence")
    show.add_argument("image", metavar="IMAGE_ID", help="the image's id, as in images.csv")
    show.add_argument("--out", required=True, metavar="DIR", help="folder of the run's results")

    inspect = command("inspect", "say what is in a source; write nothing")
    _add_source(inspect)
    inspect.add_argument(
        "--all", action="store_true", help="look into every object of a large source, too"
    )

    _add_segment(command("segment", "masks of objects from four points, or from boxes"))

    simulate = command("simulate", "write a labeling job whose truth is known")
    simulate.add_argument("--out", required=True, metavar="DIR", help="folder to write")
    for name, value, text in (
        ("images", 12, "number of images"),
        ("workers", 5, "number of workers"),
        ("classes", 4, "number of classes besides background"),
        ("height", 192, "rows of an image"),
        ("width", 256, "columns of an image"),
        ("seed", 0, "another seed, another job"),
    ):
        meaning = f"{text} ({value})"
        simulate.add_argument(f"--{name}", type=int, default=value, metavar="N", help=meaning)
    simulate.add_argument(
        "--kinds",
        metavar="LIST",
        help="kinds of workers, in turn: careful,sloppy,misses,confuses,blobs,noise,blank",
    )
    simulate.add_argument(
        "--missing", type=float, default=0.1, metavar="X", help="share of answers that never came"
    )

    calibrate = command("calibrate", "learn from gold images what confidence is worth")
    _add_source(calibrate)
    calibrate.add_argument(
        "truth",
        metavar="TRUTH",
        nargs="?",
        help="folder of <id>.png or <id>/truth.png, or what a tool exported of one annotator; "
        "without it, annotations of SOURCE that are marked as the truth",
    )
    calibrate.add_argument("--out", required=True, metavar="FILE", help="calibration to write")
    _add_options(calibrate, of_vote_only=True)

    paint = command("paint", "paint masks of pictures in the browser")
    paint.add_argument("pictures", metavar="IMAGE|FOLDER", help="a picture, or a folder of them")
    paint.add_argument("--labels", required=True, metavar="A,B,C", help="labels, or a file of them")
    paint.add_argument("--out", required=True, metavar="DIR", help="folder for masks and answers")
    paint.add_argument("--masks", metavar="PLACE", help="masks to begin with: a folder, or a file")
    paint.add_argument("--worker", metavar="NAME", help="who paints (me)")
    paint.add_argument("--template", metavar="FILE", help="task template of one's own (Liquid)")
    paint.add_argument("--port", type=int, metavar="N", help="port on this machine (8377)")
    paint.add_argument("--language", choices=("en", "de"), default="", help="(the browser's)")
    paint.add_argument("--no-browser", action="store_true", help="print the address only")

    evaluate = command("evaluate", "compare masks with the truth")
    evaluate.add_argument("predicted", metavar="PREDICTED", help="results of a run, or a folder")
    evaluate.add_argument(
        "truth",
        metavar="TRUTH",
        help="folder of <id>.png or <id>/truth.png, or what a tool exported: annotations marked as "
        "the truth, or those of one annotator",
    )
    _add_reading(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print everything as JSON")
    evaluate.add_argument(
        "--diagram",
        metavar="FILE",
        help="where to draw how often confidence was right, if the run wrote confidence maps "
        "(PREDICTED/reliability.png); its report.html shows it too",
    )
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
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


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a folder of masks, a finished Ground Truth job, consolidation requests, or what "
        "another tool wrote (Label Studio, CVAT, COCO, ...); local or s3://",
    )
    parser.add_argument("--labels", metavar="FILE", help="label-categories file of the job")
    parser.add_argument(
        "--manifest",
        metavar="FILE",
        help="input manifest of the job: its lines, in its order, go into the output manifest",
    )
    parser.add_argument(
        "--masks",
        default="{image}/worker_{worker}.png",
        metavar="PATTERN",
        help="folder of masks: where they lie ({image}/worker_{worker}.png)",
    )
    parser.add_argument(
        "--missing-is-blank",
        action="store_true",
        help="folder of masks: a missing file is a worker who found nothing",
    )
    _add_reading(parser)
    _add_formats(parser)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """Options that say what the pixels of masks mean."""
    from consolidation.options import Options

    for name, (default, option) in Options.table().items():
        if option.of_source:
            _add_option(parser, name, default, option)


def _add_formats(parser: argparse.ArgumentParser) -> None:
    from consolidation.formats import FORMATS
    from consolidation.formats.patterns import PRESETS

    group = parser.add_argument_group("formats", "what other tools write; see docs/formats.md")
    group.add_argument(
        "--format",
        default="",
        metavar="NAME",
        choices=tuple(FORMATS),
        help=f"what the source is, if that is not found out: {', '.join(FORMATS)}",
    )
    group.add_argument(
        "--preset",
        default="",
        metavar="NAME",
        choices=tuple(PRESETS),
        help=f"a data set's layout instead of --masks: {', '.join(PRESETS)}",
    )
    group.add_argument(
        "--unpainted",
        default="background",
        choices=("background", "ignore"),
        help="what a pixel says that an annotator left unpainted: background, or nothing "
        "(background)",
    )
    group.add_argument(
        "--priority",
        default="",
        metavar="A,B,C",
        help="labels that lie on top where an annotator's regions overlap, the first one topmost "
        "(what was drawn last)",
    )
    group.add_argument(
        "--multilabel",
        action="store_true",
        help="vote on one class after another: overlaps stay, each class gets a mask of its own",
    )
    group.add_argument(
        "--annotator-field",
        default="",
        metavar="NAME",
        help="COCO: field of an annotation that names its annotator",
    )
    group.add_argument(
        "--emails",
        action="store_true",
        help="call annotators by their e-mail addresses where the tool exports them",
    )


def _add_options(parser: argparse.ArgumentParser, of_vote_only: bool = False) -> None:
    from consolidation.options import Options

    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
    parser.add_argument(
        "--progress",
        default="auto",
        choices=MODES,
        help="on stderr: a bar, a line of JSON a second, or nothing (a bar on a terminal)",
    )
    group = parser.add_argument_group(
        "options", "each also as CONSOLIDATION_... in the environment, e.g. CONSOLIDATION_TIES"
    )
    for name, (default, option) in Options.table().items():
        if option.of_source:
            continue
        of_vote = option.changes_results and not option.whole_job and name not in _OF_FILES
        if of_vote_only and not of_vote:
            continue
        _add_option(group, name, default, option)


def _add_option(group: Any, name: str, default: Any, option: Option) -> None:
    """Flag of an option; one that is yes or no has a flag for what it is not by default."""
    flag = "--" + name.replace("_", "-")
    if isinstance(default, bool):
        flag = f"--no-{flag[2:]}" if default else flag
        group.add_argument(
            flag, dest=name, action="store_const", const=not default, help=option.help
        )
        return
    metavar = "|".join(option.choices) if option.choices else name.rpartition("_")[2].upper()
    shown = f" ({default})" if default != "" else ""
    group.add_argument(flag, dest=name, metavar=metavar, help=option.help + shown)

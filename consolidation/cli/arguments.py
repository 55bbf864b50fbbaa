"""Arguments that several commands have, and what is made of them."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from consolidation.cli.progress import MODES, progress
from consolidation.errors import ConsolidationError

if TYPE_CHECKING:
    from consolidation.formats import SourceOptions
    from consolidation.options import Option, Options

SOME_FAILED = 1
"""Exit status."""

_OF_FILES = (
    *("confidence_maps", "calibration"),
    *("label_attribute", "mask_uri_prefix", "job_name"),
)
"""Options of what becomes of a vote that has been taken."""


def add_source(parser: argparse.ArgumentParser) -> None:
    """SOURCE, and how it is read."""
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
    add_reading(parser)
    _add_formats(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
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


def add_options(parser: argparse.ArgumentParser, of_vote_only: bool = False) -> None:
    """Options of a run, or of how it votes alone."""
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


def options_of(arguments: argparse.Namespace) -> Options:
    """Options of arguments, environment and defaults."""
    from consolidation.options import Options

    return Options.read(vars(arguments))


def source_options_of(arguments: argparse.Namespace) -> SourceOptions:
    """How the source is read."""
    from consolidation.formats import SourceOptions

    return SourceOptions(
        masks=arguments.masks,
        missing_is_blank=arguments.missing_is_blank,
        manifest=arguments.manifest,
        format=arguments.format,
        preset=arguments.preset,
        unpainted=arguments.unpainted,
        priority=tuple(filter(None, map(str.strip, arguments.priority.split(",")))),
        multilabel=arguments.multilabel,
        annotator_field=arguments.annotator_field,
        emails=arguments.emails,
    )


def progress_of(arguments: argparse.Namespace) -> contextlib.AbstractContextManager[Any]:
    """Show progress as asked for."""
    return progress("off" if arguments.quiet else arguments.progress)


def refuse_folder(flag: str, path: str) -> None:
    """Say so before anything is computed if a file cannot have this name."""
    from consolidation import storage

    if storage.is_s3(path):
        is_folder = path.endswith("/") or path.count("/") < 3
    else:
        is_folder = path.endswith("/") or storage.local(path).is_dir()
    if is_folder:
        raise ConsolidationError(f"{flag} names a file to write, and {path} is a folder")

"""The command line: parses, calls one function, prints."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from consolidation._version import __version__
from consolidation.errors import ConsolidationError
from consolidation.limits import printable
from consolidation.progress import MODES, progress

if TYPE_CHECKING:
    from consolidation.jobs import SourceOptions, Summary
    from consolidation.options import Options

SOME_FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

_OF_FILES = (
    *("compression", "confidence_maps", "calibration"),
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
        _complain(f"{self.prog}: {message} (see {self.prog} --help)")
        raise SystemExit(WRONG_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        status: int = given.command(given)
    except ConsolidationError as error:
        _complain(f"consolidate: {error}")
        return WRONG_USAGE
    except OSError as error:
        _complain(f"consolidate: {error}")
        return WRONG_USAGE
    except ValueError as error:
        if given.command is not _simulate:
            raise
        _complain(f"consolidate: {error}")
        return WRONG_USAGE
    except KeyboardInterrupt:
        more = "; the same command goes on from here" if given.command is _run else ""
        sys.stderr.write(f"consolidate: interrupted{more}\n")
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="consolidate",
        description="Merge several workers' segmentation masks into one, with confidence.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"consolidation {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[Any], int], text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        one.set_defaults(command=run)
        return one

    demo = command("demo", _demo, "simulate a small job, consolidate it, show the accuracy")
    demo.add_argument("--out", default="demo", metavar="DIR", help="folder to write (demo)")
    _add_options(demo)

    run = command("run", _run, "consolidate a labeling job")
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
    _add_options(run)

    show = command("show", _show, "draw one image of a run: picture, masks, consensus, confidence")
    show.add_argument("image", metavar="IMAGE_ID", help="the image's id, as in images.csv")
    show.add_argument("--out", required=True, metavar="DIR", help="folder of the run's results")

    inspect = command("inspect", _inspect, "say what is in a source; write nothing")
    _add_source(inspect)

    simulate = command("simulate", _simulate, "write a labeling job whose truth is known")
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

    calibrate = command("calibrate", _calibrate, "learn from gold images what confidence is worth")
    _add_source(calibrate)
    calibrate.add_argument("truth", metavar="TRUTH", help="folder of <id>.png or <id>/truth.png")
    calibrate.add_argument("--out", required=True, metavar="FILE", help="calibration to write")
    _add_options(calibrate, of_vote_only=True)

    evaluate = command("evaluate", _evaluate, "compare masks with the truth")
    evaluate.add_argument("predicted", metavar="PREDICTED", help="results of a run, or a folder")
    evaluate.add_argument("truth", metavar="TRUTH", help="folder of <id>.png or <id>/truth.png")
    evaluate.add_argument("--json", action="store_true", help="print everything as JSON")
    evaluate.add_argument(
        "--diagram",
        metavar="FILE",
        help="where to draw how often confidence was right, if the run wrote confidence maps "
        "(PREDICTED/reliability.png); its report.html shows it too",
    )
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a consolidation-request JSON, a folder of them, a finished Ground Truth job, or a "
        "folder of masks; local or s3://",
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
        of_vote = option.changes_results and not option.whole_job and name not in _OF_FILES
        if of_vote_only and not of_vote:
            continue
        metavar = "|".join(option.choices) if option.choices else name.split("_")[-1].upper()
        shown = f" ({default})" if default != "" else ""
        flag = "--" + name.replace("_", "-")
        if default is True:
            flag = "--no-" + name.replace("_", "-")
            group.add_argument(flag, dest=name, action="store_const", const=False, help=option.help)
            continue
        if default is False:
            group.add_argument(flag, dest=name, action="store_const", const=True, help=option.help)
            continue
        group.add_argument(flag, dest=name, metavar=metavar, help=option.help + shown)


def _options(given: argparse.Namespace) -> Options:
    from consolidation.options import Options

    return Options.read(vars(given))


def _source_options(given: argparse.Namespace, max_pixels: int | None = None) -> SourceOptions:
    from consolidation.jobs import SourceOptions

    return SourceOptions(
        masks=given.masks,
        missing_is_blank=given.missing_is_blank,
        max_pixels=max_pixels,
        manifest=given.manifest,
    )


def _progress(given: argparse.Namespace) -> contextlib.AbstractContextManager[Any]:
    return progress("off" if given.quiet else given.progress)


def _run(given: argparse.Namespace) -> int:
    from consolidation.jobs import run_job

    options = _options(given)
    with _progress(given) as on_progress:
        summary = run_job(
            given.source,
            given.out,
            options,
            labels=given.labels,
            source_options=_source_options(given, options.max_pixels),
            reliability=given.reliability,
            restart=given.restart,
            retry_failed=given.retry_failed,
            on_progress=on_progress,
        )
    if not given.quiet:
        _print(_summary_text(summary, given.out))
    return SOME_FAILED if summary.failures else 0


def _demo(given: argparse.Namespace) -> int:
    from consolidation.jobs import run_demo

    with _progress(given) as on_progress:
        demo = run_demo(given.out, _options(given), on_progress)
    if not given.quiet:
        _print(f"simulated job in {demo.job}")
        _print(_summary_text(demo.summary, demo.results))
        _print("\n" + demo.evaluation.table())
    return SOME_FAILED if demo.summary.failures else 0


def _show(given: argparse.Namespace) -> int:
    from consolidation.jobs import show_object

    _print(show_object(given.out, given.image))
    return 0


def _inspect(given: argparse.Namespace) -> int:
    from consolidation.jobs import inspect_source

    found = inspect_source(given.source, labels=given.labels, source_options=_source_options(given))
    _print(found.table())
    return 0


def _simulate(given: argparse.Namespace) -> int:
    from consolidation.evaluation import simulate_job

    job = simulate_job(
        given.out,
        images=given.images,
        workers=given.workers,
        classes=given.classes,
        size=(given.height, given.width),
        seed=given.seed,
        kinds=given.kinds.split(",") if given.kinds else None,
        missing=given.missing,
    )
    _print(f"wrote {len(job.object_ids)} images by {len(job.worker_ids)} workers to {job.folder}")
    _print(f"next: consolidate run {job.folder} --out results")
    _print(f"then: consolidate evaluate results {job.truth}")
    return 0


def _calibrate(given: argparse.Namespace) -> int:
    from consolidation import storage
    from consolidation.jobs import calibrate

    options = _options(given)
    _refuse_folder("--out", given.out)
    with _progress(given) as on_progress:
        learnt = calibrate(
            given.source,
            given.truth,
            options,
            labels=given.labels,
            source_options=_source_options(given, options.max_pixels),
            on_progress=on_progress,
        )
    storage.write_bytes(given.out, learnt.calibration.to_json().encode())
    if not given.quiet:
        _print(f"{learnt.table()}\nnext: consolidate run ... --calibration {given.out}")
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    from consolidation.evaluation import evaluate_folders

    if given.diagram:
        _refuse_folder("--diagram", given.diagram)
    scores = evaluate_folders(given.predicted, given.truth)
    if given.diagram and scores.confidence is None:
        raise ConsolidationError(f"{given.predicted} holds no confidence maps: nothing to draw")
    _print(json.dumps(scores.as_dict(), indent=2) if given.json else scores.table())
    if scores.confidence is not None:
        from consolidation.jobs import write_diagrams

        written = write_diagrams(scores.confidence, scores.folder, given.diagram)
        if not given.json:
            _print(f"\nreliability diagram in {' and '.join(written)}")
    return 0


def _refuse_folder(flag: str, path: str) -> None:
    """Say so before anything is computed if a file cannot have this name."""
    from consolidation import storage

    if storage.is_s3(path):
        is_folder = path.endswith("/") or path.count("/") < 3
    else:
        is_folder = path.endswith("/") or storage.local(path).is_dir()
    if is_folder:
        raise ConsolidationError(f"{flag} names a file to write, and {path} is a folder")


def _summary_text(summary: Summary, out: str | Path) -> str:
    confidence = "none" if summary.confidence is None else f"{summary.confidence:.3f}"
    lines = [
        f"{summary.images:,} images consolidated into {out}",
        f"  workers          {summary.workers:,}",
        f"  classes          {summary.classes} with background",
        f"  disputed pixels  {summary.disputed:.2%}",
        f"  mean confidence  {confidence}",
        f"  warnings         {summary.warnings:,}" + _see(summary.warnings, "warnings.jsonl"),
        f"  failures         {summary.failures:,}" + _see(summary.failures, "failures.jsonl"),
    ]
    if summary.now:
        lines.append(f"  images a second  {summary.now / summary.seconds:.1f}")
    else:
        lines.append("  nothing was left to do: this run was finished before")
    if summary.now and summary.now < summary.images + summary.failures:
        before = summary.images + summary.failures - summary.now
        lines.append(f"  done before      {before:,}, {summary.now:,} now")
    if summary.method:
        lines.append(f"  method           {summary.method}")
    lines += [f"  same answers     {one} and {other}" for one, other in summary.twins]
    return "\n".join(lines)


def _see(count: int, name: str) -> str:
    return f"  (see {name})" if count else ""


def _print(text: str) -> None:
    sys.stdout.write(printable(text, sys.stdout.encoding) + "\n")


def _complain(text: str) -> None:
    """Say what is wrong, in one line."""
    sys.stderr.write(printable(text.replace("\n", "\\n"), sys.stderr.encoding) + "\n")

"""The commands: each calls one function and prints what came of it."""

from __future__ import annotations

import argparse
import contextlib
import json
from typing import TYPE_CHECKING, Any

from consolidation.cli.printing import complain, say, summary_text
from consolidation.cli.progress import progress
from consolidation.errors import ConsolidationError, OptionError

if TYPE_CHECKING:
    from consolidation.formats import SourceOptions
    from consolidation.options import Options

SOME_FAILED = 1
"""Exit status."""


def _run(given: argparse.Namespace) -> int:
    from consolidation.commands.run import run_job

    options = _options(given)
    with _progress(given) as on_progress:
        summary = run_job(
            given.source,
            given.out,
            options,
            labels=given.labels,
            source_options=_source_options(given),
            reliability=given.reliability,
            restart=given.restart,
            retry_failed=given.retry_failed,
            force=given.force,
            on_progress=on_progress,
        )
    if not given.quiet:
        say(summary_text(summary, given.out))
    return SOME_FAILED if summary.failures else 0


def _demo(given: argparse.Namespace) -> int:
    from consolidation.commands.demo import run_demo

    with _progress(given) as on_progress:
        demo = run_demo(given.out, _options(given), on_progress)
    if not given.quiet:
        say(f"simulated job in {demo.job}")
        say(summary_text(demo.summary, demo.results))
        say("\n" + demo.evaluation.table())
    return SOME_FAILED if demo.summary.failures else 0


def _show(given: argparse.Namespace) -> int:
    from consolidation.commands.show import show_object

    say(show_object(given.out, given.image))
    return 0


def _inspect(given: argparse.Namespace) -> int:
    from consolidation.commands.inspect import inspect_source

    found = inspect_source(
        given.source,
        _options(given),
        labels=given.labels,
        source_options=_source_options(given),
        everything=given.all,
    )
    say(found.table())
    return 0


def _segment(given: argparse.Namespace) -> int:
    from consolidation.commands.segment import segment_boxes, segment_picture

    if (given.image is None) == (given.boxes is None):
        raise OptionError("segment takes either an IMAGE with --points or --box, or --boxes FILE")
    one_object = ("points", "plus", "minus", "box")
    if given.boxes is not None and any(getattr(given, name) for name in one_object):
        raise OptionError("--boxes goes without --points, --plus, --minus and --box")
    if given.alternative != "vote" and (given.boxes is not None or given.segmenter is not None):
        raise OptionError("--alternative goes without --boxes and --segmenter")
    if given.boxes is not None:
        made = segment_boxes(given.boxes, given.out, images=given.images, segmenter=given.segmenter)
        boxes = f"{made.boxes} boxes of {made.pictures} pictures ({made.kind})"
        say(f"{boxes} have masks in {given.out}")
        for failure in made.failures:
            complain(f"consolidate: {failure}")
        return SOME_FAILED if made.failures else 0
    _refuse_folder("--out", given.out)
    found = segment_picture(
        given.image,
        given.out,
        given.points,
        box=given.box,
        plus=given.plus,
        minus=given.minus,
        alternative=given.alternative,
        segmenter=given.segmenter,
    )
    left, top, width, height = found.box
    say(f"{width} x {height} at {left}, {top}; confidence {found.confidence:.2f}: {given.out}")
    return 0


def _simulate(given: argparse.Namespace) -> int:
    from consolidation.simulation import simulate_job

    try:
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
    except ValueError as error:
        raise OptionError(str(error)) from None
    say(f"wrote {len(job.object_ids)} images by {len(job.worker_ids)} workers to {job.folder}")
    say(f"next: consolidate run {job.folder} --out results")
    say(f"then: consolidate evaluate results {job.truth}")
    return 0


def _calibrate(given: argparse.Namespace) -> int:
    from consolidation import storage
    from consolidation.commands.calibrate import calibrate

    options = _options(given)
    _refuse_folder("--out", given.out)
    with _progress(given) as on_progress:
        learnt = calibrate(
            given.source,
            given.truth,
            options,
            labels=given.labels,
            source_options=_source_options(given),
            on_progress=on_progress,
        )
    storage.write_bytes(given.out, learnt.calibration.to_json().encode())
    if not given.quiet:
        say(f"{learnt.table()}\nnext: consolidate run ... --calibration {given.out}")
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    from consolidation.commands.evaluate import evaluate_folders
    from consolidation.formats.values import ValueReading

    if given.diagram:
        _refuse_folder("--diagram", given.diagram)
    reading = ValueReading.of(_options(given))
    scores = evaluate_folders(given.predicted, given.truth, reading=reading)
    if given.diagram and scores.confidence is None:
        raise ConsolidationError(f"{given.predicted} holds no confidence maps: nothing to draw")
    say(json.dumps(scores.as_dict(), indent=2) if given.json else scores.table())
    if scores.confidence is not None:
        from consolidation.commands.diagrams import write_diagrams

        written = write_diagrams(scores.confidence, scores.folder, given.diagram)
        if not given.json:
            say(f"\nreliability diagram in {' and '.join(written)}")
    return 0


def _paint(given: argparse.Namespace) -> int:
    from consolidation.commands.paint import PORT, paint, read_labels

    paint(
        given.pictures,
        read_labels(given.labels),
        given.out,
        masks=given.masks,
        worker=given.worker,
        template=given.template,
        port=PORT if given.port is None else given.port,
        language=given.language,
        browser=not given.no_browser,
        say=say,
    )
    return 0


def _options(given: argparse.Namespace) -> Options:
    from consolidation.options import Options

    return Options.read(vars(given))


def _source_options(given: argparse.Namespace) -> SourceOptions:
    from consolidation.formats import SourceOptions

    return SourceOptions(
        masks=given.masks,
        missing_is_blank=given.missing_is_blank,
        manifest=given.manifest,
        format=given.format,
        preset=given.preset,
        unpainted=given.unpainted,
        priority=tuple(one.strip() for one in given.priority.split(",") if one.strip()),
        multilabel=given.multilabel,
        annotator_field=given.annotator_field,
        emails=given.emails,
    )


def _progress(given: argparse.Namespace) -> contextlib.AbstractContextManager[Any]:
    return progress("off" if given.quiet else given.progress)


def _refuse_folder(flag: str, path: str) -> None:
    """Say so before anything is computed if a file cannot have this name."""
    from consolidation import storage

    if storage.is_s3(path):
        is_folder = path.endswith("/") or path.count("/") < 3
    else:
        is_folder = path.endswith("/") or storage.local(path).is_dir()
    if is_folder:
        raise ConsolidationError(f"{flag} names a file to write, and {path} is a folder")


COMMANDS = {
    "run": _run,
    "demo": _demo,
    "show": _show,
    "inspect": _inspect,
    "segment": _segment,
    "simulate": _simulate,
    "calibrate": _calibrate,
    "evaluate": _evaluate,
    "paint": _paint,
}

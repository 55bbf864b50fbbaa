"""The data card of an export: what it is made of, how, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from consolidation._version import __version__
from consolidation.formats.exporters import ExportClasses
from consolidation.jobs.folder.finished import FinishedRun
from consolidation.text import count, visible

if TYPE_CHECKING:
    from consolidation.commands.export import Exported


def card(
    finished: FinishedRun,
    kind: str,
    classes: ExportClasses,
    told: Exported,
    ignore_below: float,
    review_below: float,
    top: int,
) -> str:
    """Text of ``README.md``, in Markdown."""
    lines = [
        f"# Consensus masks, as {kind}",
        "",
        "License: (fill in: that of the pictures and of the annotations)",
        "",
        *_made_of(finished, told, review_below, top),
        "",
        "## Classes",
        "",
        "| index | class | colour | pixels | share |",
        "|---|---|---|---|---|",
        *_classes(classes, told),
        "",
        "## Confidence",
        "",
        *_confidence(finished, told, ignore_below),
    ]
    for title, sentences in (
        ("What this format does not say", told.notes),
        ("Failed, and not in here", list(_listed(told.failed))),
        ("Written without a picture", list(_listed(told.without_picture))),
    ):
        if sentences:
            lines += ["", f"## {title}", "", *(f"- {_cell(one)}" for one in sentences)]
    return "\n".join(lines) + "\n"


def _made_of(finished: FinishedRun, told: Exported, review_below: float, top: int) -> Iterator[str]:
    summary, source = finished.content["summary"], finished.content["source"]
    name = source["path"].rstrip("/").replace("\\", "/").rpartition("/")[2]
    splits = ", ".join(f"{n:,} {split}" for split, n in sorted(told.splits.items()))
    yield f"- source: {_cell(name)}, {count(summary['workers'], 'annotator')}"
    yield f"- images: {told.images:,}" + (f" ({splits})" if splits else "")
    if review_below or top:
        chosen = [f"confidence below {review_below:g}"] if review_below else []
        chosen += [f"the {top:,} in most need of review"] if top else []
        yield f"- only images with {' and '.join(chosen)}: {told.not_chosen:,} others are left out"
    yield f"- failed: {len(told.failed):,}"
    method = summary["method"] or finished.options["method"]
    yield f"- method: {_cell(method)}"
    yield f"- made by consolidation {__version__}, run of {finished.creation_date}"


def _classes(classes: ExportClasses, told: Exported) -> Iterator[str]:
    for index, (name, color) in enumerate(zip(classes.names, classes.colors, strict=True)):
        pixels = told.class_pixels[index]
        share = pixels / told.pixels if told.pixels else 0.0
        yield f"| {index} | {_cell(name)} | {color} | {pixels:,} | {share:.2%} |"
    share = told.ignored / told.pixels if told.pixels else 0.0
    yield f"| - | ignored | | {told.ignored:,} | {share:.2%} |"


def _confidence(finished: FinishedRun, told: Exported, ignore_below: float) -> Iterator[str]:
    mean = finished.content["summary"]["confidence"]
    if mean is not None:
        yield f"- mean over the run's images: {mean:.3f}"
    calibrated = "calibration" in finished.content["about"]
    yield (
        "- calibrated on gold images"
        if calibrated
        else ("- not calibrated: it is the share of the vote that the class got")
    )
    if ignore_below:
        more = f"{told.ignored_now:,} more than in the run"
        yield f"- pixels below {ignore_below:g} are ignored: {more}"


def _listed(reasons: Mapping[str, str]) -> Iterator[str]:
    for object_id, reason in reasons.items():
        yield f"{object_id}: {reason}"


def _cell(text: str) -> str:
    """Text that ends no cell and no line of a table."""
    return visible(text).replace("|", "\\|").replace("<", "&lt;")

"""The page: one HTML file with all it needs inside, written image by image."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import web
from consolidation.masks import UNDECIDED, parse_color
from consolidation.masks.classes import UNDECIDED_COLORS
from consolidation.report.advice import advise, agreement_in_words
from consolidation.report.content import CalibrationBin, Report, ReportImage
from consolidation.report.snapshot import split
from consolidation.text import common_prefix, count, decimal, percent, rounded, visible

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("snapshot.js", "paint.js", "marks.js", "stage.js", "item.js", "panel.js", "app.js")
SHOWN = 24
"""Rows and columns of a matrix, at most: more cannot be read."""
REGIONS = 9
"""Disputed regions of an image, at most."""
RELIABILITY = ("<!-- reliability diagram -->", "<!-- /reliability diagram -->")
"""What the reliability diagram stands between, once the truth is known."""


def render(report: Report) -> Iterator[bytes]:
    """Write a report as one HTML file, in parts: one image is in memory at a time.

    The page loads nothing, and its content security policy forbids it to. Whatever comes from data
    is escaped, and characters that hide or turn text around are spelt out.

    Yields
    ------
    bytes
        Parts of the file, in order.
    """
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    prefix = common_prefix([worker.id for worker in report.workers])
    classes = [
        mask_class for index, mask_class in enumerate(report.classes) if mask_class.index == index
    ]
    undecided = [mask_class.color for mask_class in report.classes if mask_class.name == UNDECIDED]
    template = _environment().get_template("page.html")
    parts = template.generate(
        report=report,
        advice=list(advise(report)),
        agreement=agreement_in_words(report.alpha),
        about={
            "classes": [
                {"name": mask_class.name, "color": _color(mask_class.color)}
                for mask_class in classes
            ],
            "workers": [{"id": worker.id, "votes": worker.votes} for worker in report.workers],
            "undecided": undecided[0] if undecided else UNDECIDED_COLORS[0],
            "prefix": prefix,
        },
        classes=classes,
        prefix=prefix,
        pairs=_workers_matrix(report),
        confusion=_classes_matrix(report),
        script=script,
        script_digest=f"sha256-{digest}",
        reliability=RELIABILITY,
        css=web.text("tokens.css") + (TEMPLATES / "report.css").read_text("utf-8"),
    )
    for part in parts:
        # a lone half of a character, which is no UTF-8, can only come from a defect of ours
        yield part.encode("utf-8", "replace")


def with_reliability(page: bytes, bins: Sequence[CalibrationBin]) -> bytes:
    """Return the page with the reliability diagram in its place, instead of one that was there.

    Parameters
    ----------
    page : bytes
        What `render` wrote; one that has no such place is returned as it is.
    bins : sequence of CalibrationBin
        Its dots, none without pixels.
    """
    start, end = (mark.encode() for mark in RELIABILITY)
    before, mark, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not (mark and closed):
        return page
    drawn = _environment().get_template("reliability.html").render(bins=bins)
    return b"".join((before, start, b"\n", drawn.encode(), b"\n", end, after))


def _script() -> str:
    """All scripts in one function, so that they share names with nobody."""
    texts = "".join((TEMPLATES / name).read_text("utf-8") for name in SCRIPTS)
    return f'(() => {{ "use strict";\n{texts}}})();'


@cache
def _environment() -> Any:
    # not at import: it costs 50 ms, and a notebook needs no page
    import jinja2
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    filters = {
        "percent": percent,
        "decimal": decimal,
        "count": count,
        "short": str.removeprefix,
        "color": _color,
        "plain": _plain,
        "base64": lambda data: Markup(base64.b64encode(data).decode()),
        "about_image": _about_image,
        "masks": lambda image: split(image.snapshot)[1],
        "curve": _curve,
    }
    environment.filters.update(filters)
    return environment


def _plain(value: Any) -> Any:
    """Return what JSON can say and a person may see: no NaN, no hidden characters."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return rounded(value, 4)
    return value


def _color(text: str) -> str:
    """Return a colour that is one; grey instead of anything else."""
    return text if parse_color(text) else "#808080"


def _about_image(image: ReportImage) -> dict[str, Any]:
    """What the page's script reads of an image."""
    return {
        "id": image.id,
        "confidence": percent(image.confidence),
        "need": None if image.need is None else decimal(image.need),
        "disputed": percent(image.disputed, 1),
        "tied": percent(image.tied, 1),
        "undecided": percent(image.undecided, 1),
        "unlabelled": percent(image.unlabelled, 1),
        "workers": image.n_workers,
        "agreement": [[worker, value] for worker, value in image.agreement.items()],
        "warnings": list(image.warnings),
        "regions": [dict(region) for region in image.regions[:REGIONS]],
        "snapshot": None if image.snapshot is None else split(image.snapshot)[0],
    }


def _workers_matrix(report: Report) -> dict[str, Any] | None:
    """Agreement of every two workers, of the least reliable ones where there are many."""
    if report.pairs is None or len(report.workers) < 2:
        return None
    names = [worker.id for worker in report.workers][:SHOWN]
    rows = report.pairs[:SHOWN, :SHOWN].tolist()
    return {"names": names, "rows": rows, "left_out": len(report.workers) - len(names)}


def _classes_matrix(report: Report) -> dict[str, Any] | None:
    """Shares of the votes by class decided, of the most confused classes where there are many."""
    if report.confusion is None:
        return None
    counts = np.asarray(report.confusion, np.float64)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    chosen = np.sort(np.argsort(-wrong, kind="stable")[:SHOWN])
    totals: NDArray[np.float64] = counts.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, counts / np.maximum(totals, 1), np.nan)
    return {
        "classes": [report.classes[index] for index in chosen.tolist()],
        "rows": shares[np.ix_(chosen, chosen)].tolist(),
        "left_out": len(counts) - len(chosen),
    }


def _curve(bins: Sequence[CalibrationBin]) -> list[dict[str, float]]:
    """Points of the reliability diagram, in a square of side 100, y downwards."""
    most = max((bin_.pixels for bin_ in bins), default=1)
    return [
        {
            "x": round(100 * bin_.confidence, 1),
            "y": round(100 - 100 * bin_.accuracy, 1),
            "r": round(1.5 + 3 * math.sqrt(bin_.pixels / most), 1),
        }
        for bin_ in bins
    ]

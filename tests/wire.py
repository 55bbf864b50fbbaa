"""Answers and requests as the labeling widget and Ground Truth write them, made for tests."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from consolidation.options import Options
from tests import tiny_png

GREEN, BLUE, ORANGE = "#2ca02c", "#1f77b4", "#ff7f0e"
LABELS = {"cat": GREEN, "dog": BLUE}
PLAIN = Options(method="plurality", smoothing=0.0, ties="lowest", report=False)
"""A vote that can be worked out by hand, and no report of it."""


def plain(**changes: Any) -> Options:
    """Return the plain vote's options with changes."""
    return replace(PLAIN, **changes)


def picture(mask: npt.ArrayLike, colors: Sequence[str], depth: int = 8) -> bytes:
    """PNG of a worker who gave class k colors[k - 1]; class 0 is transparent."""
    palette = bytes(3) + b"".join(bytes.fromhex(color[1:]) for color in colors)
    values = np.atleast_2d(np.asarray(mask, np.uint8))
    return tiny_png.write(values, tiny_png.PALETTE, depth, palette=palette, trns=b"\0")


def content(
    mask: npt.ArrayLike, labels: Mapping[str, str] | None = None, **extra: Any
) -> dict[str, Any]:
    """Return what a worker sends: class k is the k-th of the labels."""
    labels = LABELS if labels is None else labels
    return picture_content(picture(mask, list(labels.values())), labels, **extra)


def picture_content(
    png: bytes, labels: Mapping[str, str] | None = None, **extra: Any
) -> dict[str, Any]:
    """Return what a worker sends, of any bytes for a picture."""
    labels = LABELS if labels is None else labels
    return {
        "crowd-semantic-segmentation": {
            "labelMappings": {label: {"color": color} for label, color in labels.items()},
            "labeledImage": {"pngImageData": base64.b64encode(png).decode()},
            **extra,
        }
    }


def annotation(worker: str, answer: Any) -> dict[str, Any]:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return {"workerId": worker, "annotationData": {"content": text}}


def entry(object_id: str, *answers: tuple[str, Any]) -> dict[str, Any]:
    return {
        "datasetObjectId": object_id,
        "dataObject": {"s3Uri": f"s3://bucket/{object_id}.jpg"},
        "annotations": [annotation(*one) for one in answers],
    }


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_index_mask(path: Path, mask: npt.ArrayLike) -> Path:
    """Grey PNG whose pixel is the class index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.atleast_2d(np.asarray(mask, np.uint8))
    path.write_bytes(tiny_png.write(values, tiny_png.GREY))
    return path


def json_lines(path: Path) -> list[Any]:
    """Lines of a JSON-lines file; strict JSON: no NaN."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{path}: {constant} is not JSON")

    text = path.read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line, parse_constant=refuse) for line in text.split("\n")[:-1]]


def undated(data: bytes) -> bytes:
    """A result without the time at which its run began, in JSON within JSON and reports too."""
    before = rb'(creation[-_]date\\?": ?\\?"|<p>consolidation [^,]+, )'
    date = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
    return re.sub(before + date, rb"\1DATE", data)

"""Small reports made for tests."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from consolidation import consolidate
from consolidation.consensus import Consensus
from consolidation.objects import MaskClass
from consolidation.report import (
    Report,
    ReportImage,
    ReportWorker,
    small_jpeg,
    take,
)

CLASSES = (
    MaskClass(0, "BACKGROUND", "#ffffff"),
    MaskClass(1, "road", "#2ca02c"),
    MaskClass(2, "tree", "#1f77b4"),
)
WORKERS = ("ann", "bob", "cid")


def masks(shift: int = 0, size: tuple[int, int] = (24, 32)) -> npt.NDArray[np.uint8]:
    """Three masks: ann and bob paint a road at the left and a tree; cid moves it and errs."""
    out = np.zeros((3, *size), np.uint8)
    out[:, 4:12, 4:12] = 1
    out[:, 14:20, 16:28] = 2
    out[2] = 0
    out[2, 4:12, 4 + shift : 12 + shift] = 1
    out[2, 14:20, 16:28] = 1
    return out


def picture(size: tuple[int, int] = (24, 32)) -> bytes:
    ramp = np.linspace(0, 255, size[1], dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(np.tile(ramp, (size[0], 1))).convert("RGB").save(out, "PNG")
    return out.getvalue()


def image(name: str, result: Consensus, need: float = 0.5, **changes: Any) -> ReportImage:
    counts = result.provenance["counts"]
    pixels = counts["pixels"]
    fields: dict[str, Any] = {
        "id": name,
        "confidence": result.image_confidence,
        "disputed": counts["disputed"] / pixels,
        "tied": counts["tied"] / pixels,
        "undecided": counts["undecided"] / pixels,
        "n_workers": result.n_workers,
        "need": need,
        "agreement": {one.worker: one.agreement for one in result.workers},
        "snapshot": take(result).to_bytes(),
        "picture": small_jpeg(picture(result.labels.shape), result.labels.shape),
    }
    return ReportImage(**{**fields, **changes})


def images(workers: Sequence[str] = WORKERS) -> Iterator[ReportImage]:
    """Three images; cid departs most in the last."""
    region = {
        "box": [16, 14, 28, 20],
        "area": 72,
        "classes": ["road", "tree"],
        "workers": [workers[2]],
        "reason": "road or tree: cid against the others",
    }
    for number, shift in enumerate((2, 0, 8)):
        result = consolidate(masks(shift), workers=workers, n_classes=3)
        yield image(f"image-{number}", result, regions=[region], warnings=["a warning"])


def report(**changes: Any) -> Report:
    fields: dict[str, Any] = {
        "title": "A job",
        "classes": CLASSES,
        "images": images(),
        "n_images": 5,
        "workers": [
            ReportWorker("cid", 3, 0.31, (0.2, 0.5), 0.4, (0.9, 0.3, 0.0), votes=False, junk=True),
            ReportWorker("bob", 3, 0.9, (0.8, 0.95), 0.9, (1.0, 0.9, float("nan")), twins=("ann",)),
            ReportWorker("ann", 3, 0.9, None, 0.9, (1.0, 0.9, 0.9), blank=1, seconds=31.0),
        ],
        "disputed": 0.123,
        "confidence": 0.8,
        "alpha": 0.7,
        "method": "auto",
        "reason": "Votes count the same.",
        "failures": 1,
        "warnings": 3,
        "version": "0.1.0",
        "created": "2026-01-02T03:04:05",
        "pairs": np.array([[1, 0.4, 0.4], [0.4, 1, np.nan], [0.4, np.nan, 1]]),
        "confusion": np.array([[900, 10, 0], [20, 100, 0], [10, 60, 130]]),
        "class_confidence": (0.98, 0.8, float("nan")),
    }
    return Report(**{**fields, **changes})

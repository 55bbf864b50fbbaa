"""A finished Ground Truth job as the service leaves it in its folder, made for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from consolidation.formats.groundtruth import compact, metadata
from consolidation.objects import MaskClass
from tests import tiny_png, wire

COLORS = bytes.fromhex("ffffff2ca02c1f77b4")


def response(answers: Mapping[str, Any], seconds: float = 4.5) -> dict[str, Any]:
    """Return a file of worker responses: masks by worker, or whole contents."""
    return {
        "answers": [
            {
                "answerContent": one if isinstance(one, dict) else wire.content(one),
                "timeSpentInSeconds": seconds,
                "workerId": worker,
            }
            for worker, one in answers.items()
        ]
    }


def write_responses(
    job: Path, object_id: str, answers: Mapping[str, Any], iteration: int = 1
) -> Path:
    """Write a file for each worker, as the service does."""
    folder = job / "annotations" / "worker-response" / f"iteration-{iteration}" / object_id
    for second, (worker, one) in enumerate(answers.items()):
        wire.write_json(folder / f"2026-01-01_10:00:{second:02}.json", response({worker: one}))
    return folder


def label(attribute: str, job_name: str, uri: str) -> dict[str, Any]:
    """Return the label and metadata that the built-in consolidation gives an object."""
    classes = [
        MaskClass(0, "BACKGROUND", "#ffffff"),
        MaskClass(1, "cat", wire.GREEN),
        MaskClass(2, "dog", wire.BLUE),
    ]
    block = metadata(classes, 0.8, "2026-01-01T10:01:00.000000", job_name)
    return {attribute: uri, f"{attribute}-metadata": block}


def write_builtin(job: Path, object_id: str, mask: Any, colons: bool = True) -> str:
    """Write the built-in's mask; return its URI on S3."""
    time = "2026-01-01T10:00:30.000000"
    name = f"{object_id}_{time if colons else time.replace(':', '_')}.png"
    folder = "annotations/consolidated-annotation/output"
    path = job / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.atleast_2d(np.asarray(mask, np.uint8))
    path.write_bytes(tiny_png.write(values, tiny_png.PALETTE, palette=COLORS))
    return f"s3://bucket/{job.name}/{folder}/{object_id}_{time}.png"


def write_manifest(path: Path, lines: Sequence[Any], end: str = "\n") -> Path:
    """Write lines; those that are text as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = (one if isinstance(one, str) else compact(one) for one in lines)
    path.write_bytes("".join(text + end for text in texts).encode("utf-8", "surrogateescape"))
    return path


def write_job(job: Path, objects: Mapping[str, tuple[Mapping[str, Any], Any]]) -> Path:
    """Write a job: by line number, the masks by worker and the built-in's mask (None: failed)."""
    lines: list[dict[str, Any]] = []
    for number in range(max(map(int, objects)) + 1):
        line: dict[str, Any] = {"source-ref": f"s3://bucket/{number}.jpg", "extra": {"é": 1.50}}
        answers, builtin = objects.get(str(number), ({}, None))
        write_responses(job, str(number), answers)
        if builtin is not None:
            line |= label("own-ref", job.name, write_builtin(job, str(number), builtin))
        elif answers:
            line["own-ref-metadata"] = {"failure-reason": "ClientError: ...", "retry-count": 1}
        lines.append(line)
    write_manifest(job / "manifests" / "output" / "output.manifest", lines)
    return job


def read_manifest(path: Path) -> list[Any]:
    """Lines of a manifest."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]

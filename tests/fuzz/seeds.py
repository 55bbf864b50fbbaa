"""Inputs to begin with, and inputs that once did harm: whatever was found stays here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

import numpy as np

from consolidation.formats.groundtruth import manifest_line, metadata
from consolidation.objects import MaskClass
from tests import tiny_png, wire
from tests.fuzz.format_seeds import FORMAT_FOUND, FORMAT_SEEDS

_GOOD = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
_COLORS = bytes(3) + bytes.fromhex("2ca02c1f77b4")
_PNG = tiny_png.write(_GOOD, tiny_png.PALETTE, 2, palette=_COLORS, trns=b"\0")
_LABELS = {"labels": [{"label": "cat"}, {"label": "dog"}]}
_BLOCK = metadata([MaskClass(1, "cat", wire.GREEN)], 0.5, "2026-01-01T00:00:00", "job")
_RESPONSE = {"datasetObjectId": "0", "consolidatedAnnotation": {"content": {"a-ref": "s3://b/0"}}}


def _json(*values: object) -> list[bytes]:
    return [json.dumps(one).encode() for one in values]


SEEDS: Mapping[str, Sequence[bytes]] = {
    "payload": _json(
        [wire.entry("7", ("a", wire.content([0, 1])), ("b", wire.content([1, 1])))],
        [{"datasetObjectId": 1, "annotations": [{"workerId": "a", "annotationData": {}}]}],
        {"answers": [{"workerId": "a", "answerContent": {}, "timeSpentInSeconds": 1}]},
    ),
    "answer": _json(wire.content([0, 1, 2], inputImageProperties={"height": 1, "width": 3})),
    "png": [
        b"\xff" + _PNG,
        b"\xff" + tiny_png.write(_GOOD, tiny_png.GREY, 4, trns=b"\0\1", interlaced=True),
        b"\xff" + tiny_png.write(np.zeros((2, 2, 4), np.uint8), tiny_png.RGBA),
        b"\0" + bytes([3, 2, 3, 3, 0, 9, 1, 5]) + _COLORS + b"\0" + b"\0\0\1\2" * 2,
        b"\0" + bytes([9, 9, 3, 2, 1, 0, 0, 0]) + bytes(600),
    ],
    "manifest": [
        manifest_line({"source-ref": "s3://b/1"}, "a-ref", "s3://b/m", _BLOCK).encode(),
        *_json(_LABELS, ["cat"], {"classes": [{"index": 1, "name": "cat"}]}, [_RESPONSE]),
    ],
    **FORMAT_SEEDS,
}

FOUND: Mapping[str, Sequence[bytes]] = {
    "payload": [
        # a number that one reader of JSON takes for a whole one, and another does not
        b'[{"datasetObjectId": ' + b"9" * 40 + b', "annotations": []}]',
    ],
    "answer": [],
    "png": [
        # pixels that isal could not unpack to the end, where Pillow had seen enough
        b"\xff"
        + base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAC0lEQVR4nGNgQAdABwAAAXfx+gAAAAAASUVORK5C"
            "YII="
        ),
        # a chunk whose name is none
        b"\xff" + _PNG[:33] + b"\0\0\0\0t\xfd\0\1" + bytes(4) + _PNG[33:],
    ],
    "manifest": [],
    **FORMAT_FOUND,
}

"""Files of other tools to begin with, and what once did harm."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from tests import format_writers as writers

_MASK = np.zeros((5, 7), np.uint8)
_MASK[1:3, 2:5] = 1
_COUNTS = writers.runs(_MASK.reshape(-1))
_COLUMNS = writers.runs(_MASK.T.reshape(-1))
_SQUARE = [[0, 0], [3, 0], [3, 2]]


def _json(*values: object) -> list[bytes]:
    return [json.dumps(one).encode() for one in values]


def _items() -> list[object]:
    shapes = (
        {"brushlabels": ["cat"], **writers.ls_brush("a", "cat", _MASK)["value"]},
        {"polygonlabels": ["dog"], "points": _SQUARE, "closed": True},
        {"rectanglelabels": ["cat"], "x": 1, "y": 2, "width": 30, "height": 40, "rotation": 30},
        {"ellipselabels": ["cat"], "x": 50, "y": 50, "radiusX": 30, "radiusY": 40},
        {"bitmasklabels": ["cat"], "imageDataURL": "data:image/png;base64,iVBORw0KGgo="},
    )
    return [writers.ls_item(str(n), one, (5, 7)) for n, one in enumerate(shapes)]


_TASK = writers.ls_task(1, {1: _items(), 2: []})
_ANNOTATION = _TASK["annotations"][0] | {"task": {"id": 1, "data": _TASK["data"]}}
_MIN = {
    "id": 1,
    "image": "x.png",
    "annotator": 2,
    "annotation_id": 3,
    "label": [{**_items()[0]["value"], "original_width": 7, "original_height": 5}],
}
_CVAT_SHAPES = (
    writers.cvat_mask("cat", _MASK)
    + '<polygon label="dog" points="0,0;3,0;3,2" z_order="1"/>'
    + '<box label="cat" xtl="0" ytl="0" xbr="4" ybr="8" rotation="30"/>'
    + '<ellipse label="cat" cx="2" cy="2" rx="1" ry="1"/><tag label="cat"/>'
)
_DARWIN = {
    "item": {"name": "x.jpg", "slots": [{"width": 7, "height": 5}]},
    "annotations": [
        {
            "name": "cat",
            "polygon": {"paths": [[{"x": 0, "y": 0}, {"x": 3, "y": 0}, {"x": 3, "y": 2}]]},
        },
        {"id": "a", "name": "dog", "mask": {}, "annotators": [{"email": "a@b.c"}]},
        {"raster_layer": {"dense_rle": [0, 30, 1, 5], "mask_annotation_ids_mapping": {"a": 1}}},
        {"name": "cat", "bounding_box": {"x": 0, "y": 0, "w": 2, "h": 2}},
    ],
}
_SUPERVISELY = {
    "size": {"height": 5, "width": 7},
    "objects": [
        {
            "classTitle": "cat",
            "geometryType": "bitmap",
            "labelerLogin": "ann",
            "bitmap": {"data": base64.b64encode(b"\x89PNG").decode(), "origin": [0, 0]},
        },
        {"classTitle": "dog", "geometryType": "polygon", "points": {"exterior": _SQUARE}},
        {"classTitle": "dog", "geometryType": "rectangle", "points": {"exterior": _SQUARE[:2]}},
    ],
}
_LABELME = {
    "imageHeight": 5,
    "imageWidth": 7,
    "shapes": [
        {"label": "cat", "points": _SQUARE},
        {"label": "dog", "points": _SQUARE[:2], "shape_type": "circle"},
        {"label": "dog", "points": _SQUARE[:2], "shape_type": "mask", "mask": "aaaa"},
    ],
}
_LABELME_XML = (
    b"<annotation><filename>x.jpg</filename><object><name>cat</name><deleted>0</deleted><polygon>"
    b"<username>ann</username><pt><x>0</x><y>0</y></pt><pt><x>3</x><y>0</y></pt><pt><x>3</x><y>2"
    b"</y></pt></polygon></object><imagesize><nrows>5</nrows><ncols>7</ncols></imagesize>"
    b"</annotation>"
)


def _npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _nifti() -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 7, 5, 2, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, *[1.0] * 8)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    header[344:348] = b"n+1\0"
    return bytes(header) + bytes(70)


FORMAT_SEEDS: Mapping[str, Sequence[bytes]] = {
    "runs": [
        b"\0" + bytes(writers.brush(_MASK * 255)),
        b"\1" + ",".join(map(str, writers.brush(_MASK * 255))).encode(),
        b"\2" + bytes(writers.brush(_MASK)[4:]),
        b"\x03" + ", ".join(map(str, _COUNTS)).encode(),
        b"\x04" + np.array(_COUNTS, "<i2").tobytes(),
        b"\x05" + writers.coco_counts(_COLUMNS).encode(),
        b"\x06" + np.array(_COLUMNS, "<i2").tobytes(),
        b"\x07" + np.array([0, 30, 1, 5], "<i2").tobytes(),
        b"\x08" + np.array(_SQUARE, "<f8").tobytes(),
        b"\x09" + np.array(_SQUARE, "<i2").tobytes(),
        b"\x0a" + np.array([2, 2, 3, 1, 30], "<i2").tobytes(),
        b"\x0b" + np.array([2, 2, 3, 1, 30], "<i2").tobytes(),
        b"\x0c" + bytes(writers.brush(_MASK)[6:]),
    ],
    "stream": _json([_TASK], {"images": [{"id": 1}], "a": {"b": [1] * 40}}, [[1] * 40, 'a\\"]']),
    "task": _json(_TASK, _ANNOTATION, _MIN),
    "coco": _json(
        {"category_id": 1, "rater": "bob", "segmentation": [[0, 0, 3, 0, 3, 2]]},
        {"category_id": 2, "segmentation": {"size": [5, 7], "counts": _COLUMNS}},
        {
            "category_id": 2,
            "attributes": {"rater": [1, "a"]},
            "segmentation": {"size": [5, 7], "counts": writers.coco_counts(_COLUMNS)},
        },
        {
            "images": [{"id": 1, "file_name": "x.jpg", "width": 7, "height": 5.0, "raters": [1]}],
            "annotations": [
                {"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 3, 0, 3, 2]]},
                {"image_id": 1, "file_name": "x.png", "segments_info": [{"id": 1}]},
            ],
            "categories": [{"id": 1, "name": "cat"}],
        },
    ),
    "cvat": [
        writers.cvat_xml(
            [("x.jpg", 7, 5, _CVAT_SHAPES), ("y.jpg", 7, 5, "")],
            "<job><id>1</id><assignee><username>a</username></assignee><labels><label><name>cat"
            "</name><color>#112233</color></label></labels></job>",
        ).encode()
    ],
    "image-file": [
        *(bytes([0]) + one for one in _json(_DARWIN)),
        *(bytes([1]) + one for one in _json(_SUPERVISELY)),
        *(bytes([2]) + one for one in _json(_LABELME)),
        bytes([3]) + _LABELME_XML,
    ],
    "volume": [
        _nifti(),
        _npy(np.zeros((2, 5, 7), np.uint8)),
        _npy(np.asfortranarray(np.zeros((2, 5, 7), np.float32))),
        b"II*\0\x08\0\0\0\0\0",
    ],
}

FORMAT_FOUND: Mapping[str, Sequence[bytes]] = {name: [] for name in FORMAT_SEEDS} | {
    # an end that nothing began, seen or not by where windows end
    "stream": [b"\n]\n["],
    # a run of no pixels
    "runs": [b"\x07" + np.array([0, 30, 1, 0, 2, 5], "<i2").tobytes()],
}

"""Consolidation requests in memory, answered as the labeling widget answers."""

from __future__ import annotations

import base64
import io
import json
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.workloads import masks
from consolidation.masks import class_color, parse_color


def answer_png(mask: NDArray[np.uint8], classes: int, mode: str) -> bytes:
    """A worker's picture: background transparent; ``palette``, ``rgb`` (black) or ``rgba``."""
    colors = np.array([parse_color(class_color(k)) for k in range(classes)], np.uint8)
    colors[0] = 0
    out = io.BytesIO()
    if mode == "palette":
        image = Image.fromarray(mask)
        image = Image.frombytes("P", mask.shape[::-1], mask.tobytes())
        image.putpalette(colors.reshape(-1).tolist())
        bits = next(b for b in (1, 2, 4, 8) if classes <= 1 << b)
        image.save(out, "PNG", bits=bits, transparency=b"\x00" + b"\xff" * (classes - 1))
    else:
        pixels = colors[mask]
        if mode == "rgba":
            alpha = np.where(mask > 0, 255, 0).astype(np.uint8)
            pixels = np.concatenate([pixels, alpha[..., None]], axis=-1)
        Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@cache
def payload(workers: int, classes: int, height: int, width: int, mode: str) -> bytes:
    """Request of one object."""
    names = {f"class {k}": {"color": class_color(k)} for k in range(1, classes)}
    annotations = []
    for worker, mask in enumerate(masks(workers, classes, height, width)):
        png = base64.b64encode(answer_png(mask, classes, mode)).decode()
        content = {
            "crowd-semantic-segmentation": {
                "inputImageProperties": {"height": height, "width": width},
                "labelMappings": names,
                "labeledImage": {"pngImageData": png},
            }
        }
        data = {"content": json.dumps(content)}
        annotations.append({"workerId": f"private.us-east-1.{worker}", "annotationData": data})
    entry = {
        "datasetObjectId": "0",
        "dataObject": {"s3Uri": "s3://bucket/0.png"},
        "annotations": annotations,
    }
    return json.dumps([entry]).encode()


def labels(classes: int) -> list[str]:
    """Label names of `payload`, in order."""
    return [f"class {k}" for k in range(1, classes)]

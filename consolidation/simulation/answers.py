"""Write masks as the labeling widget and the consolidated job write them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

Mask = npt.NDArray[np.uint8]


def worker_png(mask: Mask) -> bytes:
    """Encode a worker's mask as the widget does.

    The palette has only the colours in use, in the order in which a raster scan meets them, at the
    smallest bit depth that holds them. Unpainted pixels are black with alpha 0. A palette index
    therefore says nothing about the class, and a reader has to go by colour.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, Wd)
        Class indices, 0 where nothing is painted.

    Returns
    -------
    bytes
        PNG with a palette of 1, 2, 4 or 8 bits.

    Examples
    --------
    >>> png = worker_png(np.array([[2, 0], [0, 2]], dtype=np.uint8))
    >>> png[24], png[25]  # bits, colour type 3: palette
    (1, 3)
    >>> Image.open(io.BytesIO(png)).convert("RGBA").getpixel((0, 0))
    (31, 119, 180, 255)
    """
    classes, first = np.unique(mask, return_index=True)
    classes = classes[np.argsort(first)]
    position = np.zeros(256, dtype=np.uint8)
    position[classes] = np.arange(classes.size)
    palette = b"".join(_rgb(index) if index else bytes(3) for index in classes.tolist())
    image = Image.fromarray(position[mask])
    image.putpalette(palette)
    bits = next(bits for bits in (1, 2, 4, 8) if classes.size <= 1 << bits)
    info = PngImagePlugin.PngInfo()
    info.add(b"sRGB", b"\x01")
    out = io.BytesIO()
    if 0 in classes:
        alpha = b"\xff" * int(position[0]) + b"\x00"
        image.save(out, format="PNG", bits=bits, pnginfo=info, transparency=alpha)
    else:
        image.save(out, format="PNG", bits=bits, pnginfo=info)
    return out.getvalue()


def worker_content(mask: Mask, labels: Sequence[str]) -> str:
    """Wrap a worker's mask in the JSON that the labeling page submits.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, Wd)
        Class indices, 0 where nothing is painted.
    labels : sequence of str
        Names of classes 1, 2, ...; all are listed, painted or not.

    Returns
    -------
    str
        JSON text.

    Examples
    --------
    >>> content = json.loads(worker_content(np.zeros((2, 3), dtype=np.uint8), ["road"]))
    >>> content["crowd-semantic-segmentation"]["labelMappings"]
    {'road': {'color': '#2ca02c'}}
    """
    from consolidation.masks.colors import class_color

    height, width = mask.shape
    element = {
        "inputImageProperties": {"height": height, "width": width},
        "labelMappings": {
            name: {"color": class_color(index)} for index, name in enumerate(labels, start=1)
        },
        "labeledImage": {"pngImageData": base64.b64encode(worker_png(mask)).decode("ascii")},
    }
    return json.dumps({"crowd-semantic-segmentation": element}, separators=(",", ":"))


def truth_png(mask: Mask, n_classes: int) -> bytes:
    """Encode a true mask: 8-bit palette, pixel value = class index, opaque, 256 palette entries.

    Parameters
    ----------
    mask : ndarray of uint8, shape (H, Wd)
        Class indices.
    n_classes : int
        Number of classes without background; palette entries above it are white.

    Returns
    -------
    bytes

    Examples
    --------
    >>> png = truth_png(np.array([[0, 1]], dtype=np.uint8), 1)
    >>> np.asarray(Image.open(io.BytesIO(png)))
    array([[0, 1]], dtype=uint8)
    """
    image = Image.fromarray(mask)
    colours = [_rgb(index) for index in range(n_classes + 1)]
    image.putpalette(b"".join(colours) + b"\xff" * (768 - 3 * len(colours)))
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


def _rgb(index: int) -> bytes:
    # Its package brings in the compiler; scores alone should not wait for that.
    from consolidation.masks.colors import class_color

    return bytes.fromhex(class_color(index).removeprefix("#"))

"""BMP and lossless WebP: pictures other than PNG whose stored values may be class indices."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from consolidation.errors import AnswerError
from consolidation.masks.chunks import MAX_PIXELS

_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, MemoryError)


def is_raster(data: bytes) -> bool:
    """Whether a file begins as BMP or WebP do."""
    return data[:2] == b"BM" or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def raster_size(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width, of the first bytes; AnswerError if it is none, or too large."""
    return _opened(data, max_pixels).size[::-1]


def decode_raster(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Stored values (H, Wd): palette indices or greys.

    WebP knows colours only: what is grey in it was grey.

    Raises
    ------
    AnswerError
        If it is damaged, too large, in colour, or was compressed with losses.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.array([[0, 3]], np.uint8)).save(file, "BMP")
    >>> decode_raster(file.getvalue())
    array([[0, 3]], dtype=uint8)
    """
    image = _opened(data, max_pixels)
    if image.format == "WEBP" and b"VP8L" not in data[:4096]:
        raise AnswerError("its WebP compression changes class indices: save it lossless, or as PNG")
    try:
        image.load()
    except _DAMAGED as error:
        raise AnswerError(f"the picture is damaged: {' '.join(str(error).split())[:100]}") from None
    values: NDArray[Any] = np.asarray(image)
    if image.mode == "1":
        return values.astype(np.uint8)
    if image.mode in ("P", "L"):
        return np.array(values, np.uint8)
    if image.mode in ("RGB", "RGBA"):
        opaque = image.mode == "RGB" or bool((values[..., 3] == 255).all())
        if opaque and (values[..., :1] == values[..., :3]).all():
            return np.ascontiguousarray(values[..., 0])
    raise AnswerError("the mask is a colour picture; class indices are greys or a palette")


def _opened(data: bytes, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=["BMP", "WEBP"])
    except (*_DAMAGED, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise AnswerError(f"the picture is damaged: {' '.join(str(error).split())[:100]}") from None
    if image.width * image.height > max_pixels:
        raise AnswerError(
            f"the picture has {image.width} x {image.height} pixels, the limit is {max_pixels:,}"
        )
    return image

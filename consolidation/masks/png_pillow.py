"""Kinds of PNG that no labeling tool writes: interlaced, grey with alpha, RGB with one transparent.

Pillow decodes these; their header and chunks were checked before.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.masks.chunks import GREY, PALETTE, RGB, Chunks, Header
from consolidation.masks.inflate import STRIP, PixelStream

if TYPE_CHECKING:
    from PIL import Image

PIXELS_A_STRIP = 1 << 20
"""Pixels that are converted at a time."""
WHOLE = 1 << 22
"""Pixels up to which copies of a whole image do not matter."""


def by_pillow(header: Header, chunks: Chunks) -> NDArray[Any]:
    """Decode to stored indices (H, Wd) of palette and grey, or to RGB or RGBA (H, Wd, 3 or 4).

    Raises
    ------
    AnswerError
        If the pixels are damaged.
    """
    # rare, and slow to import
    from PIL import PngImagePlugin

    try:
        # not Image.open: its limit is a process-wide setting that is not ours to change
        image = PngImagePlugin.PngImageFile(io.BytesIO(chunks.as_png()))
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        reason = " ".join(str(error).split())[:100]
        raise AnswerError(f"PNG is damaged: {reason}") from None
    if (image.height, image.width) != (header.height, header.width):
        raise AnswerError("PNG is damaged: two sizes")
    values = _values(image, header, chunks)
    # only rows that are not there are 0 without fail
    if header.interlaced or not values[-1].reshape(header.width, -1)[:, :3].any():
        _check_rows(header, chunks)
    return values


def _values(image: Image.Image, header: Header, chunks: Chunks) -> NDArray[Any]:
    if header.depth == 16:
        return np.asarray(image).astype(np.uint16)
    if header.color_type not in (PALETTE, GREY):
        plain = header.color_type == RGB and not chunks.transparency
        return _array(image, "RGB" if plain else "RGBA")
    values = _array(image, "L" if image.mode == "1" else image.mode)
    if values.dtype != np.uint8 or values.ndim != 2:
        raise AnswerError(f"PNG is damaged: decodes to {image.mode}")
    if header.color_type == GREY and header.depth < 8:
        # Pillow scales grey levels to 8 bits
        values = values // (255 // (2**header.depth - 1))
    return values


def _array(image: Image.Image, mode: str) -> NDArray[np.uint8]:
    """Pixels of an image in some mode; large ones in strips, for Pillow and NumPy copy thrice."""
    height, width = image.height, image.width
    # Pillow warns of strips that are as large as a bomb
    if height * width <= WHOLE or width > 1 << 26:
        return np.asarray(_in_mode(image, mode))
    out = np.empty((height, width, len(mode)), np.uint8)
    step = max(1, PIXELS_A_STRIP // width)
    for top in range(0, height, step):
        strip = _in_mode(image.crop((0, top, width, min(top + step, height))), mode)
        out[top : top + step] = np.asarray(strip).reshape(-1, width, len(mode))
    return out[..., 0] if len(mode) == 1 else out


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    # Pillow copies also where there is nothing to convert
    return image if image.mode == mode else image.convert(mode)


def _check_rows(header: Header, chunks: Chunks) -> None:
    """Raise AnswerError if the compressed pixels end before the last row.

    They may end properly and early; Pillow leaves the rows that are missing 0 and says nothing.
    """
    stream = PixelStream(chunks.pixels)
    n_bytes = 0
    while n_bytes < header.n_bytes:
        unpacked = len(stream.more(min(STRIP, header.n_bytes - n_bytes)))
        if not unpacked:
            raise AnswerError(
                f"PNG is damaged: {n_bytes:,} bytes of pixels, {header.width} x {header.height} "
                f"have {header.n_bytes:,}"
            )
        n_bytes += unpacked

"""Masks and confidence to PNG."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.masks.chunks import GREY, PALETTE, SIGNATURE, chunk

STRIP = 1 << 20
"""Pixels that are filtered and compressed at a time."""


def encode_indexed(
    labels: NDArray[np.uint8], palette: NDArray[np.uint8], small: bool = False
) -> bytes:
    """Encode class indices (H, Wd) as an 8-bit palette PNG with the colours (256, 3).

    The file has exactly the chunks IHDR, PLTE, IDAT and IEND: no transparency. `small` takes
    about three times as long and a third less space.
    """
    if palette.shape != (256, 3):
        raise ValueError(f"palette must have shape (256, 3), not {palette.shape}")
    if labels.dtype != np.uint8 or labels.ndim != 2 or 0 in labels.shape:
        raise ValueError(f"labels must be uint8 of shape (H, Wd): {labels.dtype} {labels.shape}")
    colors = chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    height, width = labels.shape
    return _assemble((height, width), PALETTE, colors, lambda rows: labels[rows], small)


def encode_grey(
    shape: tuple[int, int], rows: Callable[[slice], NDArray[np.uint8]], small: bool = False
) -> bytes:
    """Encode values of shape (H, Wd), asked for some rows at a time, as an 8-bit grey PNG."""
    return _assemble(shape, GREY, b"", rows, small)


def _assemble(
    shape: tuple[int, int],
    color_type: int,
    palette_chunk: bytes,
    rows: Callable[[slice], NDArray[np.uint8]],
    small: bool,
) -> bytes:
    height, width = shape
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    return b"".join(
        [
            SIGNATURE,
            chunk(b"IHDR", header),
            palette_chunk,
            chunk(b"IDAT", _deflate(shape, rows, small)),
            chunk(b"IEND", b""),
        ]
    )


def _deflate(
    shape: tuple[int, int], rows: Callable[[slice], NDArray[np.uint8]], small: bool
) -> bytes:
    """Filter and compress pixels to a zlib stream; quickly by isal where it is installed."""
    # runs are all there is to find in a mask: quicker than zlib's other strategies, and smaller
    encoder: Any = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    if not small:
        with contextlib.suppress(ImportError):
            from isal import isal_zlib

            encoder = isal_zlib.compressobj(1)
    stream = b"".join([encoder.compress(strip.data) for strip in _filtered(shape, rows)])
    stream += encoder.flush()
    # the second byte only says how hard the encoder tried; readers of masks know the usual one
    return bytes(b"\x78\x9c" + stream[2:])


def _filtered(
    shape: tuple[int, int], rows: Callable[[slice], NDArray[np.uint8]]
) -> Iterator[NDArray[np.uint8]]:
    """Lines with filter 2 (Up): equal lines become zeros, and it is one subtraction.

    In strips, so that a large image takes no second copy.
    """
    height, width = shape
    step = max(1, STRIP // width)
    above = np.zeros(width, np.uint8)
    for top in range(0, height, step):
        lines = rows(slice(top, min(top + step, height)))
        strip = np.empty((len(lines), width + 1), np.uint8)
        strip[:, 0] = 2
        np.subtract(lines[0], above, out=strip[0, 1:])
        np.subtract(lines[1:], lines[:-1], out=strip[1:, 1:])
        above = lines[-1]
        yield strip

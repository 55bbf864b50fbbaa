"""Masks and confidence to PNG, by an encoder of our own: the same bytes on every machine."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from consolidation.kernels.deflate import (
    HEADER_BYTES,
    N_ORDERS,
    N_SCRATCH,
    N_SYMBOLS,
    plan,
    write_block,
)
from consolidation.kernels.png_tokens import N_TOKENS, tokenize
from consolidation.masks.chunks import GREY, PALETTE, RGB, SIGNATURE, chunk

ENCODER = "up-runs-1"
"""Another name when the bytes of a mask change: a run goes on only with the encoder it began with.
"""
STRIP = 1 << 18
"""Pixels that are compressed at a time, with codes of their own."""
ZLIB_HEADER = b"\x78\x9c"

SAME = np.arange(256, dtype=np.uint8)
"""The table of values that are written as they are."""

Rows = Callable[[slice], NDArray[np.uint8]]


def encode_indexed(labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Encode class indices (H, Wd) as an 8-bit palette PNG with the colours (256, 3).

    The file has exactly the chunks IHDR, PLTE, IDAT and IEND: no transparency.
    """
    if palette.shape != (256, 3):
        raise ValueError(f"palette must have shape (256, 3), not {palette.shape}")
    if labels.dtype != np.uint8 or labels.ndim != 2 or 0 in labels.shape:
        raise ValueError(f"labels must be uint8 of shape (H, Wd): {labels.dtype} {labels.shape}")
    colors = chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    height, width = labels.shape
    return _assemble((height, width), PALETTE, colors, lambda rows: labels[rows], SAME)


def encode_grey(
    shape: tuple[int, int], rows: Rows, table: NDArray[np.uint8] | None = None
) -> bytes:
    """Encode values of shape (H, Wd), asked for some rows at a time, as an 8-bit grey PNG.

    With a table (256,), what it makes of the values is written.
    """
    return _assemble(shape, GREY, b"", rows, SAME if table is None else table)


def encode_rgb(colors: NDArray[np.uint8]) -> bytes:
    """Encode colours (H, Wd, 3) as an 8-bit RGB PNG."""
    height, width, samples = colors.shape
    # rows are compared with the one above, byte by byte: how many make a pixel does not matter
    flat = colors.reshape(height, width * samples)
    return _assemble((height, width), RGB, b"", lambda rows: flat[rows], SAME, samples)


def _assemble(
    shape: tuple[int, int],
    color_type: int,
    palette_chunk: bytes,
    rows: Rows,
    table: NDArray[np.uint8],
    samples: int = 1,
) -> bytes:
    height, width = shape
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    return b"".join(
        [
            SIGNATURE,
            chunk(b"IHDR", header),
            palette_chunk,
            chunk(b"IDAT", _deflate((height, width * samples), rows, table)),
            chunk(b"IEND", b""),
        ]
    )


def _deflate(shape: tuple[int, int], rows: Rows, table: NDArray[np.uint8]) -> bytes:
    """Filter and compress pixels to a zlib stream: a block for each strip."""
    height, width = shape
    step = min(max(1, STRIP // width), height)
    tokens = np.empty(step * (width + 1), np.uint16)
    adler = np.array([1, 0], np.uint64)
    lengths, orders = np.empty(N_SYMBOLS, np.uint8), np.empty(N_ORDERS, np.uint8)
    bits, code = np.empty((2, N_TOKENS + 1), np.int64)
    scratch = np.empty((6, N_SCRATCH), np.int64)
    above = np.zeros(width, np.uint8)
    parts = [ZLIB_HEADER]
    held, n_held = np.uint64(0), 0
    for top in range(0, height, step):
        strip = np.ascontiguousarray(rows(slice(top, min(top + step, height))))
        frequencies = np.zeros(N_TOKENS, np.int64)
        n_tokens = tokenize(above, strip, table, top == 0, tokens, adler, frequencies)
        above = strip[-1]
        n_bits = plan(frequencies, lengths, bits, code, scratch)
        out = np.empty(HEADER_BYTES + n_bits // 8 + 16, np.uint8)
        final = int(top + step >= height)
        n_bytes, held, n_held = write_block(
            lengths,
            tokens[:n_tokens],
            bits,
            code,
            final,
            out,
            np.uint64(held),
            n_held,
            scratch,
            orders,
        )
        parts.append(out[:n_bytes].tobytes())
    parts.append(bytes([int(held)] if n_held else []))
    parts.append(struct.pack(">HH", int(adler[1]), int(adler[0])))
    return b"".join(parts)

"""A PNG writer for tests: every kind, depth and interlacing, and what the PNG standard says of it.

Pillow writes no interlaced files, picks depths itself, and would be compared with itself.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# PNG 1.2, 2.6: first row, first column, row step, column step of the seven passes
ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)

Samples = npt.NDArray[Any]


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def header(width: int, height: int, depth: int, kind: int, *, interlaced: bool = False) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))


def scanlines(samples: Samples, depth: int) -> bytes:
    """Rows of (H, Wd, C) samples, packed to `depth` bits, each after filter byte 0."""
    height = samples.shape[0]
    flat = samples.reshape(height, -1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in flat]
    elif depth == 8:
        rows = [row.astype(np.uint8).tobytes() for row in flat]
    else:
        bits = (flat[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
        packed = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
        rows = [row.tobytes() for row in packed]
    return b"".join(b"\0" + row for row in rows)


def write(
    samples: Samples,
    kind: int,
    depth: int = 8,
    *,
    palette: bytes | None = None,
    trns: bytes | None = None,
    interlaced: bool = False,
    idat_size: int = 1 << 30,
) -> bytes:
    """PNG of samples (H, Wd) or (H, Wd, C)."""
    samples = samples.reshape(*samples.shape[:2], CHANNELS[kind])
    height, width = samples.shape[:2]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = (samples[row::down, column::right] for row, column, down, right in passes)
    data = zlib.compress(b"".join(scanlines(part, depth) for part in parts if part.size))
    chunks = [SIGNATURE, header(width, height, depth, kind, interlaced=interlaced)]
    if palette is not None:
        chunks.append(chunk(b"PLTE", palette))
    if trns is not None:
        chunks.append(chunk(b"tRNS", trns))
    chunks += [chunk(b"IDAT", data[at : at + idat_size]) for at in range(0, len(data), idat_size)]
    return b"".join([*chunks, chunk(b"IEND", b"")])


def expected_rgba(
    samples: Samples,
    kind: int,
    depth: int = 8,
    *,
    palette: bytes | None = None,
    trns: bytes | None = None,
) -> Samples:
    """RGBA (H, Wd, 4) by the letter of the standard, 8 bits or fewer a sample."""
    samples = samples.reshape(*samples.shape[:2], CHANNELS[kind])
    out = np.full((*samples.shape[:2], 4), 255, np.uint8)
    if kind == PALETTE:
        assert palette is not None
        colors = [(*palette[at : at + 3], 255) for at in range(0, len(palette), 3)]
        for index, alpha in enumerate((trns or b"")[: len(colors)]):
            colors[index] = (*colors[index][:3], alpha)
        for at in np.ndindex(samples.shape[:2]):
            out[at] = colors[samples[at][0]]
    elif kind in (GREY, GREY_ALPHA):
        out[..., :3] = samples[..., :1] * (255 // (2**depth - 1))
        if kind == GREY_ALPHA:
            out[..., 3] = samples[..., 1]
    else:
        out[..., : samples.shape[2]] = samples
    if trns is not None and kind in (GREY, RGB):
        key = np.frombuffer(trns, ">u2")
        out[(samples == key).all(axis=2), 3] = 0
    return out


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of every chunk; the check sums must be right."""
    assert data[:8] == SIGNATURE
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        checksum = struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        assert checksum == zlib.crc32(name + content), name
        found.append((name, content))
        at += 12 + length
    return found

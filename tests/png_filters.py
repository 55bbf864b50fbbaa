"""PNG's filters by the letter of the standard, a byte at a time: what kernels are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from tests import tiny_png
from tests.tiny_png import CHANNELS, Samples


def prediction(kind: int, left: int, above: int, corner: int) -> int:
    """PNG 1.2, 6.2 to 6.6."""
    if kind == 4:
        p = left + above - corner
        # the nearest, of equals the first
        return min((left, above, corner), key=lambda value: abs(p - value))
    return (0, left, above, (left + above) // 2)[kind]


def filtered(lines: bytes, line: int, bpp: int, kinds: Sequence[int]) -> bytes:
    """Filter rows of `line` bytes, of which the first is 0, with the filters given, in turn."""
    out = bytearray()
    before = bytes(line)
    for row in range(len(lines) // line):
        this = lines[row * line : (row + 1) * line]
        kind = kinds[row % len(kinds)]
        out.append(kind)
        for i in range(1, line):
            left = this[i - bpp] if i > bpp else 0
            corner = before[i - bpp] if i > bpp else 0
            out.append((this[i] - prediction(kind, left, before[i], corner)) & 255)
        before = this
    return bytes(out)


def write(
    samples: Samples,
    kind: int,
    depth: int,
    filters: Sequence[int],
    *,
    palette: bytes | None = None,
    trns: bytes | None = None,
    packed: bytes | None = None,
) -> bytes:
    """PNG of (H, Wd, C) samples whose rows have these filters; or of a stream that is given."""
    import zlib

    samples = samples.reshape(*samples.shape[:2], CHANNELS[kind])
    height, width = samples.shape[:2]
    if packed is None:
        packed = zlib.compress(stream(samples, kind, depth, filters))
    parts = [tiny_png.SIGNATURE, tiny_png.header(width, height, depth, kind)]
    parts += [] if palette is None else [tiny_png.chunk(b"PLTE", palette)]
    parts += [] if trns is None else [tiny_png.chunk(b"tRNS", trns)]
    return b"".join([*parts, tiny_png.chunk(b"IDAT", packed), tiny_png.chunk(b"IEND", b"")])


def stream(samples: Samples, kind: int, depth: int, filters: Sequence[int]) -> bytes:
    """Filtered rows, before they are compressed."""
    samples = samples.reshape(*samples.shape[:2], CHANNELS[kind])
    lines = tiny_png.scanlines(samples, depth)
    bits = depth * CHANNELS[kind]
    line = 1 + (samples.shape[1] * bits + 7) // 8
    return filtered(lines, line, max(1, bits // 8), filters)

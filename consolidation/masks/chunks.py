"""What a PNG file is made of: its header and chunks, checked before anything is decoded."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

from consolidation.errors import AnswerError
from consolidation.masks.file_kinds import PNG, not_a_png

crc32: Any = zlib.crc32
try:
    from isal import isal_zlib
except ImportError:
    pass
else:
    # ten times as quick
    crc32 = isal_zlib.crc32

SIGNATURE = PNG
MAX_PIXELS = 150_000_000
"""Default limit of an image's size; the largest image of a Ground Truth job has 100 megapixels."""
MAX_CHUNKS = 100_000
"""Real files have some dozens; each takes a microsecond to look at, however small."""

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_DEPTHS = {GREY: (1, 2, 4, 8), RGB: (8,), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8,), RGBA: (8,)}
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_KEY_BYTES = {GREY: 2, RGB: 6}
_HEADER_END = 33
# PNG 1.2, 2.6: first row, first column, row step, column step of the passes of interlaced files
_PASSES = {
    0: ((0, 0, 1, 1),),
    1: (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ),
}


@dataclass(frozen=True)
class Header:
    """The IHDR chunk: size in pixels, bits a channel, colour type as PNG numbers them."""

    height: int
    width: int
    depth: int
    color_type: int
    interlaced: int = 0

    @property
    def bits(self) -> int:
        """Bits a pixel."""
        return self.depth * _CHANNELS[self.color_type]

    @property
    def line(self) -> int:
        """Bytes of a row that is not interlaced: a filter's number and samples."""
        return 1 + (self.width * self.bits + 7) // 8

    @property
    def n_bytes(self) -> int:
        """Bytes of the pixels before compression: of each row, a filter's number and samples."""
        bits = self.bits
        total = 0
        for row, column, down, right in _PASSES[self.interlaced]:
            rows = -(-(self.height - row) // down)
            columns = -(-(self.width - column) // right)
            if rows > 0 and columns > 0:
                total += rows * (1 + (columns * bits + 7) // 8)
        return total


@dataclass(frozen=True)
class Chunks:
    """The chunks that pixels depend on.

    Attributes
    ----------
    header : bytes
        IHDR as it lies in the file, length and sum included.
    palette, transparency : bytes
        Contents of PLTE and tRNS, empty where there is none.
    pixels : tuple of memoryview
        Contents of the IDAT chunks.
    """

    header: bytes
    palette: bytes
    transparency: bytes
    pixels: tuple[memoryview, ...]

    def as_png(self) -> bytes:
        """Return the file without all that is not needed: no texts, no animation, no profile."""
        parts: list[bytes | memoryview] = [SIGNATURE, self.header]
        if self.palette:
            parts.append(chunk(b"PLTE", self.palette))
        if self.transparency:
            parts.append(chunk(b"tRNS", self.transparency))
        parts += [chunk(b"IDAT", pixels) for pixels in self.pixels]
        return b"".join([*parts, chunk(b"IEND", b"")])


def read_header(data: bytes, max_pixels: int = MAX_PIXELS, deep: bool = False) -> Header:
    """Read size and kind of a PNG without decoding it.

    Raises
    ------
    AnswerError
        If it is no PNG, too large, or has 16 bits a channel; grey of 16 bits is `deep`.
    """
    if data[:8] != SIGNATURE:
        raise AnswerError(not_a_png(data))
    if len(data) < _HEADER_END or data[8:16] != b"\0\0\0\rIHDR":
        raise AnswerError(f"PNG without a header, {len(data)} bytes")
    width, height, depth, color_type, *ways = struct.unpack(">IIBBBBB", data[16:29])
    if width == 0 or height == 0:
        raise AnswerError(f"PNG of {width} x {height} pixels")
    if width * height > max_pixels:
        raise AnswerError(f"PNG declares {width} x {height} pixels, the limit is {max_pixels:,}")
    deep = deep and depth == 16 and color_type == GREY
    if depth == 16 and color_type != PALETTE and not deep:
        raise AnswerError("PNG has 16 bits a channel; masks have 8 or fewer")
    if not deep and depth not in _DEPTHS.get(color_type, ()):
        raise AnswerError(f"PNG of unknown kind: colour type {color_type}, depth {depth}")
    compression, filters, interlaced = ways
    if compression or filters or interlaced not in _PASSES:
        raise AnswerError(f"PNG of unknown kind: compression, filter, interlacing {ways}")
    return Header(height, width, depth, color_type, interlaced)


def read_chunks(data: bytes) -> Chunks:
    """Chunks of a file that is whole.

    Raises
    ------
    AnswerError
        If it is cut short, a checksum is wrong, or its parts may be read in more than one way.
    """
    contents = {b"PLTE": b"", b"tRNS": b""}
    pixels: list[memoryview] = []
    last = b""
    view = memoryview(data)
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if at + 12 > len(data) or end > len(data):
            raise AnswerError(f"PNG is damaged: truncated after {len(data):,} bytes")
        name = data[at + 4 : at + 8]
        if crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise AnswerError(f"PNG is damaged: wrong checksum of chunk {name!r}")
        if name == b"IEND":
            break
        if name == b"IDAT":
            if pixels and last != name:
                raise AnswerError("PNG is damaged: its pixels lie in several places")
            pixels.append(view[at + 8 : end - 4])
        elif name in contents and not pixels:
            # what comes after the pixels is too late to count
            if contents[name] or (name == b"PLTE" and contents[b"tRNS"]):
                raise AnswerError(f"PNG is damaged: {name.decode()} twice, or out of order")
            contents[name] = data[at + 8 : end - 4]
        elif name == b"IHDR" and at > len(SIGNATURE):
            raise AnswerError("PNG is damaged: two sizes")
        elif name not in (b"IHDR", b"PLTE") and not (name.isalpha() and name[0] & 0x20):
            # a small letter first says that the picture can do without
            raise AnswerError(f"PNG is damaged: chunk {name!r}, without which it has no meaning")
        last = name
        at = end
    else:
        raise AnswerError(f"PNG has more than {MAX_CHUNKS:,} chunks, which is the limit")
    if not pixels:
        raise AnswerError("PNG is damaged: it has no pixels")
    return Chunks(data[8:_HEADER_END], contents[b"PLTE"], contents[b"tRNS"], tuple(pixels))


def check_whole(data: bytes) -> Chunks | None:
    """Chunks of a PNG that is whole, None for what is none; AnswerError if it is damaged."""
    return read_chunks(data) if data[:8] == SIGNATURE else None


def check_colors(header: Header, chunks: Chunks) -> None:
    """Raise AnswerError if palette or transparency have no meaning for this kind of file."""
    palette, key = len(chunks.palette), len(chunks.transparency)
    if palette % 3 or palette > 768:
        raise AnswerError(f"PNG is damaged: a palette of {palette} bytes")
    if key and key != _KEY_BYTES.get(header.color_type, key):
        raise AnswerError(f"PNG is damaged: a transparent color of {key} bytes")


def chunk(name: bytes, content: bytes | memoryview) -> bytes:
    """Return a chunk as it lies in a file."""
    checksum = struct.pack(">I", crc32(content, crc32(name)))
    return b"".join([struct.pack(">I", len(content)), name, content, checksum])

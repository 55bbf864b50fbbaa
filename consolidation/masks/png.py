"""PNG bytes to pixels and back. Pillow decodes; the header is read here first.

Palette and grey images are kept as indices with a palette of RGBA colours: what a colour means is
then looked up at most 256 times an image, not once a pixel, and means the same.
"""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from consolidation.errors import AnswerError
from consolidation.masks.chunks import (
    GREY,
    MAX_PIXELS,
    PALETTE,
    RGB,
    SIGNATURE,
    Chunks,
    Header,
    check_colors,
    chunk,
    read_chunks,
    read_header,
)

STRIP = 1 << 20
"""Pixels that are converted, or filtered and compressed, at a time."""
WHOLE = 1 << 22
"""Pixels up to which copies of a whole image do not matter."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """A decoded image.

    Attributes
    ----------
    values : ndarray of shape (H, Wd) or (H, Wd, 3) or (H, Wd, 4), uint8
        Indices into `palette`, or RGB, or RGBA; grey of 16 bits is uint16, without a palette.
    palette : ndarray of shape (256, 4), uint8, or None
        RGBA colour of each index; indices beyond a short palette are transparent black.
    """

    values: NDArray[Any]
    palette: NDArray[np.uint8] | None


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decode a PNG of any colour type, 1 to 8 bits a channel, interlaced or not.

    Raises
    ------
    AnswerError
        As for `read_header`, or if the file is truncated or corrupt.
    """
    return decode_as(read_header(data, max_pixels), data)


def decode_as(header: Header, data: bytes) -> Pixels:
    """As `decode`, of a file whose header has been read."""
    chunks = read_chunks(data)
    check_colors(header, chunks)
    try:
        # not Image.open: its limit is a process-wide setting that is not ours to change
        image: Image.Image = PngImagePlugin.PngImageFile(io.BytesIO(chunks.as_png()))
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        reason = " ".join(str(error).split())[:100]
        raise AnswerError(f"PNG is damaged: {reason}") from None
    if (image.height, image.width) != (header.height, header.width):
        raise AnswerError("PNG is damaged: two sizes")
    found = _pixels(image, header, chunks)
    # only rows that are not there are 0 without fail
    if header.interlaced or not found.values[-1].reshape(header.width, -1)[:, :3].any():
        _check_rows(header, chunks.pixels)
    return found


def _pixels(image: Image.Image, header: Header, chunks: Chunks) -> Pixels:
    """Pixels of a picture that Pillow has decoded."""
    if header.depth == 16:
        return Pixels(np.asarray(image).astype(np.uint16), None)
    if header.color_type in (PALETTE, GREY):
        values = _array(image, "L" if image.mode == "1" else image.mode)
        if values.dtype != np.uint8 or values.ndim != 2:
            raise AnswerError(f"PNG is damaged: decodes to {image.mode}")
        if header.color_type == GREY:
            return Pixels(values, _grey_ramp(chunks.transparency, header.depth))
        n_colors = len(chunks.palette) // 3
        if n_colors < 256 and int(values.max()) >= n_colors:
            raise AnswerError(
                f"PNG is damaged: a pixel has color {values.max()} of a palette of {n_colors}"
            )
        return Pixels(values, _palette(chunks.palette, chunks.transparency))
    if header.color_type == RGB and not chunks.transparency:
        return Pixels(_array(image, "RGB"), None)
    return Pixels(_array(image, "RGBA"), None)


def decode_indices(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode a PNG whose stored values, not colours, are class indices: palette or grey.

    Raises
    ------
    AnswerError
        As for `decode`, or if it has colours instead of indices.
    """
    header = read_header(data, max_pixels)
    if header.color_type not in (PALETTE, GREY):
        raise AnswerError("the mask is a colour picture; class indices are a grey or palette PNG")
    values = decode(data, max_pixels).values
    if header.color_type == GREY and header.depth < 8:
        values = values // (255 // (2**header.depth - 1))
    return values


def _array(image: Image.Image, mode: str) -> NDArray[np.uint8]:
    """Pixels of an image in some mode; large ones in strips, for Pillow and NumPy copy thrice."""
    height, width = image.height, image.width
    # Pillow warns of strips that are as large as a bomb
    if height * width <= WHOLE or width > 1 << 26:
        return np.asarray(_in_mode(image, mode))
    out = np.empty((height, width, len(mode)), np.uint8)
    step = max(1, STRIP // width)
    for top in range(0, height, step):
        strip = _in_mode(image.crop((0, top, width, min(top + step, height))), mode)
        out[top : top + step] = np.asarray(strip).reshape(-1, width, len(mode))
    return out[..., 0] if len(mode) == 1 else out


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    # Pillow copies also where there is nothing to convert
    return image if image.mode == mode else image.convert(mode)


def _check_rows(header: Header, pixels: Sequence[memoryview]) -> None:
    """Raise AnswerError if the compressed pixels end before the last row.

    They may end properly and early; Pillow leaves the rows that are missing 0 and says nothing.
    """
    unpacker: Any = zlib
    with contextlib.suppress(ImportError):
        from isal import isal_zlib as unpacker

    stream = unpacker.decompressobj()
    n_bytes = 0
    try:
        for one in (*pixels, b""):
            data, more = one[8:-4], 1
            while (data or more) and n_bytes < header.n_bytes:
                more = len(stream.decompress(data, STRIP))
                data = stream.unconsumed_tail
                n_bytes += more
    except unpacker.error as error:
        raise AnswerError(f"PNG is damaged: {error}") from None
    if n_bytes < header.n_bytes:
        raise AnswerError(
            f"PNG is damaged: {n_bytes:,} bytes of pixels, {header.width} x {header.height} "
            f"have {header.n_bytes:,}"
        )


def _palette(colors: bytes, transparency: bytes) -> NDArray[np.uint8]:
    """RGBA (256, 4) of the contents of PLTE and tRNS."""
    palette = np.zeros((256, 4), np.uint8)
    rgb = np.frombuffer(colors[: len(colors) // 3 * 3], np.uint8).reshape(-1, 3)
    palette[: len(rgb), :3] = rgb
    palette[: len(rgb), 3] = 255
    alpha = np.frombuffer(transparency[: len(rgb)], np.uint8)
    palette[: len(alpha), 3] = alpha
    return palette


def _grey_ramp(transparency: bytes, depth: int) -> NDArray[np.uint8]:
    """RGBA (256, 4) of grey levels, which Pillow has scaled to 8 bits."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
    ramp[:, 3] = 255
    if transparency:
        # one sample of 16 bits, of which the lowest count
        highest = 2**depth - 1
        sample = int.from_bytes(transparency[:2], "big") & highest
        ramp[sample * (255 // highest), 3] = 0
    return ramp


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

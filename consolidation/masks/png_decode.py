"""PNG bytes to pixels: palette, grey, RGB and RGBA by our own kernels, the rest by Pillow.

Palette and grey images are kept as indices with a palette of RGBA colours: what a colour means is
then looked up at most 256 times an image, not once a pixel, and means the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.kernels._lanes import LANES
from consolidation.kernels.png_unpack import look_up, unpack
from consolidation.masks.chunks import (
    GREY,
    MAX_PIXELS,
    PALETTE,
    RGB,
    RGBA,
    Chunks,
    Header,
    check_colors,
    read_chunks,
    read_header,
)
from consolidation.masks.inflate import strips
from consolidation.masks.png_pillow import by_pillow

NO_INDICES = "the mask is a colour picture; class indices are a grey or palette PNG"


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


@dataclass(frozen=True)
class Picture:
    """A PNG whose chunks are whole and whose header is sound; its pixels are still packed."""

    header: Header
    chunks: Chunks

    @property
    def indexed(self) -> bool:
        """Whether pixels are indices: palette or grey, of at most 8 bits."""
        return self.header.color_type in (PALETTE, GREY) and self.header.depth <= 8

    @property
    def plain(self) -> bool:
        """Whether our own kernels read it, not Pillow."""
        colored = self.header.color_type in (RGB, RGBA) and not self.chunks.transparency
        return not self.header.interlaced and (self.indexed or colored)

    @property
    def color_key(self) -> tuple[int, int, bytes, bytes]:
        """Pictures of the same key have the same palette."""
        chunks = self.chunks
        # of a transparency no more than there can be colours is looked at
        alphas = chunks.transparency[:256]
        return self.header.color_type, self.header.depth, chunks.palette, alphas

    def pixels(self) -> Pixels:
        """Unpack all of it; AnswerError if it is damaged."""
        header = self.header
        if self.indexed:
            indices = np.empty((header.height, header.width), np.uint8)
            self.read_indices(indices)
            return Pixels(indices, palette_of(*self.color_key))
        if not self.plain:
            return Pixels(by_pillow(header, self.chunks), None)
        values = np.empty((header.height, header.width, header.bits // 8), np.uint8)
        for buffer, top, n_rows in strips(header, self.chunks.pixels):
            rows = buffer[header.line : (n_rows + 1) * header.line].reshape(n_rows, header.line)
            values[top : top + n_rows] = rows[:, 1:].reshape(n_rows, *values.shape[1:])
        return Pixels(values, None)

    def read_indices(self, out: NDArray[Any]) -> int:
        """Write the stored indices of a palette or grey picture, and return the highest.

        Parameters
        ----------
        out : ndarray of shape (H, Wd), uint8 or uint16, C-contiguous, out

        Raises
        ------
        AnswerError
            If the picture is damaged, or has colours instead of indices.
        """
        if not self.indexed:
            raise AnswerError(NO_INDICES)
        header = self.header
        if self.plain:
            top_lanes = np.zeros(LANES, np.uint8)
            for buffer, top, n_rows in strips(header, self.chunks.pixels):
                part = out[top : top + n_rows]
                unpack(buffer, header.line, header.line, header.depth, part, top_lanes)
            highest = int(top_lanes.max())
        else:
            out[...] = by_pillow(header, self.chunks)
            highest = int(out.max())
        self._check_index(highest)
        return highest

    def look_up(
        self, table: NDArray[Any], length: int, counted: NDArray[np.uint8], out: NDArray[Any]
    ) -> NDArray[np.int64]:
        """Write what a table makes of the indices of a plain picture.

        Parameters
        ----------
        table : ndarray of shape (256,), uint8 or uint16
            Zeros from `length` on.
        length : int
        counted : ndarray of shape (C,), uint8
            Indices whose pixels shall be counted.
        out : ndarray of shape (H, Wd), dtype of the table, C-contiguous, out

        Returns
        -------
        ndarray of shape (256,), int64
            Pixels by index, of those that shall be counted.

        Raises
        ------
        AnswerError
            If the picture is damaged.
        """
        header = self.header
        highest = np.zeros(LANES, np.uint8)
        counts = np.zeros(256, np.int64)
        for buffer, top, n_rows in strips(header, self.chunks.pixels):
            look_up(
                buffer,
                header.line,
                header.line,
                header.depth,
                table,
                length,
                counted,
                out[top : top + n_rows],
                highest,
                counts,
            )
        self._check_index(int(highest.max()))
        return counts

    def _check_index(self, highest: int) -> None:
        n_colors = len(self.chunks.palette) // 3
        if self.header.color_type == PALETTE and highest >= n_colors:
            raise AnswerError(
                f"PNG is damaged: a pixel has color {highest} of a palette of {n_colors}"
            )


def open_png(data: bytes, max_pixels: int = MAX_PIXELS, chunks: Chunks | None = None) -> Picture:
    """Check header and chunks of a PNG, unless they were read before; nothing is unpacked.

    Raises
    ------
    AnswerError
        As for `read_header`, or if the file is truncated or corrupt.
    """
    header = read_header(data, max_pixels)
    picture = Picture(header, chunks or read_chunks(data))
    check_colors(header, picture.chunks)
    return picture


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decode a PNG of any colour type, 1 to 8 bits a channel, interlaced or not.

    Raises
    ------
    AnswerError
        As for `open_png`, or if its pixels are damaged.
    """
    return open_png(data, max_pixels).pixels()


def decode_as(header: Header, data: bytes) -> Pixels:
    """As `decode`, of a file whose header has been read."""
    chunks = read_chunks(data)
    check_colors(header, chunks)
    return Picture(header, chunks).pixels()


def decode_indices(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode a PNG whose stored values, not colours, are class indices: palette or grey.

    Raises
    ------
    AnswerError
        As for `decode`, or if it has colours instead of indices.
    """
    header = read_header(data, max_pixels)
    if header.color_type not in (PALETTE, GREY):
        raise AnswerError(NO_INDICES)
    return decode(data, max_pixels).values


def palette_of(
    color_type: int, depth: int, colors: bytes, transparency: bytes
) -> NDArray[np.uint8]:
    """RGBA (256, 4) by index, of the contents of PLTE and tRNS, or of grey levels."""
    palette = np.zeros((256, 4), np.uint8)
    if color_type == GREY:
        highest = 2**depth - 1
        palette[: highest + 1] = np.arange(0, 256, 255 // highest, dtype=np.uint8)[:, None]
        palette[: highest + 1, 3] = 255
        if transparency:
            # one sample of 16 bits, of which the lowest count
            palette[int.from_bytes(transparency[:2], "big") & highest, 3] = 0
        return palette
    rgb = np.frombuffer(colors[: len(colors) // 3 * 3], np.uint8).reshape(-1, 3)
    palette[: len(rgb), :3] = rgb
    palette[: len(rgb), 3] = 255
    alpha = np.frombuffer(transparency[: len(rgb)], np.uint8)
    palette[: len(alpha), 3] = alpha
    return palette

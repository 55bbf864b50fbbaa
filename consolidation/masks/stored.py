"""What a picture of a mask stores: class indices, whatever the kind of file, or colours.

The one reader of pictures whose values are classes: workers' masks, truths, earlier results. A
further kind of file is one more `Decoder`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.masks.chunks import (
    GREY,
    MAX_PIXELS,
    PALETTE,
    SIGNATURE,
    check_whole,
    read_header,
)
from consolidation.masks.file_kinds import not_a_png
from consolidation.masks.png_decode import Pixels, decode_as


@dataclass(frozen=True, eq=False)
class Stored:
    """A decoded picture.

    Attributes
    ----------
    indices : ndarray of shape (H, Wd), uint8 or uint16, or None
        Stored values: palette indices, or grey samples as they are stored (0 and 1 where they have
        one bit). Of a picture in colour that only has opaque greys, the greys. None of colours.
    pixels : Pixels
        What the picture looks like.
    kind : str
        ``"palette"``, ``"grey"`` or ``"color"``; ``"numbers"`` of what is no picture.
    depth : int
        Bits a sample.
    """

    indices: NDArray[Any] | None
    pixels: Pixels
    kind: str
    depth: int = 8


def of_numbers(values: NDArray[Any]) -> Stored:
    """Values (H, Wd) uint16 of a file that is no picture, in a byte each if they fit."""
    if values.size and int(values.max()) < 256:
        values = values.astype(np.uint8)
    return Stored(values, Pixels(values, None), "numbers", 8 * values.itemsize)


class Decoder(NamedTuple):
    """How a kind of file is read; each raises AnswerError for what it cannot read."""

    start: bytes
    """First bytes of its files."""
    check: Callable[[bytes], object]
    """Refuses a file that is cut short, before its size is believed."""
    size: Callable[[bytes, int], tuple[int, int]]
    """Height and width, without decoding; refuses more pixels than that."""
    decode: Callable[[bytes, int], Stored]


def decoder_of(data: bytes) -> Decoder:
    """Return how a file is read; AnswerError says what it is if nothing here reads it."""
    for decoder in DECODERS:
        if data.startswith(decoder.start):
            return decoder
    raise AnswerError(not_a_png(data, cure=True))


def decode_stored(data: bytes, max_pixels: int = MAX_PIXELS) -> Stored:
    """Decode a picture whose stored values are classes.

    Raises
    ------
    AnswerError
        If it is of a kind that is not read, damaged, or larger than that many pixels.
    """
    return decoder_of(data).decode(data, max_pixels)


def _png_size(data: bytes, max_pixels: int) -> tuple[int, int]:
    header = read_header(data, max_pixels, deep=True)
    return header.height, header.width


def _decode_png(data: bytes, max_pixels: int) -> Stored:
    header = read_header(data, max_pixels, deep=True)
    pixels = decode_as(header, data)
    values = pixels.values
    if header.color_type == PALETTE:
        return Stored(values, pixels, "palette", header.depth)
    if header.color_type == GREY:
        return Stored(values, pixels, "grey", header.depth)
    greys = np.ascontiguousarray(values[..., 0])
    opaque = values.shape[2] == 3 or bool((values[..., 3] == 255).all())
    grey = opaque and all(bool((values[..., channel] == greys).all()) for channel in (1, 2))
    return Stored(greys if grey else None, pixels, "color", header.depth)


DECODERS: tuple[Decoder, ...] = (Decoder(SIGNATURE, check_whole, _png_size, _decode_png),)

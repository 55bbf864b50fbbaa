"""Masks of the page: of files, for it to begin with, and of its answers, into files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.formats.groundtruth import parse_answer
from consolidation.masks import (
    MAX_PIXELS,
    Classes,
    ColorMatcher,
    decode,
    decode_indices,
    encode_indexed,
    palette,
    parse_color,
    read_header,
)
from consolidation.masks.chunks import GREY, PALETTE


def answer_mask(
    content: str | Mapping[str, Any], classes: Classes, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Class indices (H, Wd) of an answer.

    Raises
    ------
    AnswerError
        If the answer is none, has another size than the picture, or pixels that mean nothing.
    """
    answer = parse_answer(content)
    header = read_header(answer.png)
    if (header.height, header.width) != size:
        raise AnswerError(
            f"the mask has {header.width} x {header.height} pixels, "
            f"the picture has {size[1]} x {size[0]}"
        )
    mapping = {}
    for label, color in answer.colors.items():
        index = classes.index(label)
        if index is None:
            raise AnswerError(f"{label!r} is no label of this task")
        mapping[color] = index
    mask = np.zeros(size, np.uint8)
    counts = ColorMatcher(mapping, 0).match(decode(answer.png), mask)
    if counts.unmatched or counts.unknown or counts.opaque_background:
        raise AnswerError("the mask has pixels of no label's colour")
    return mask


def mask_file(mask: NDArray[np.uint8], classes: Classes) -> bytes:
    """PNG of class indices, in the classes' colours."""
    return encode_indexed(mask, palette(classes.hex_colors()))


def read_mask(data: bytes, classes: Classes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Class indices (H, Wd) of a mask file.

    They are its values where it is grey or has a palette, else what its colours mean.

    Raises
    ------
    AnswerError
        If it cannot be read, or has values or colours that are no class.
    """
    header = read_header(data, max_pixels)
    if header.color_type in (GREY, PALETTE):
        mask = decode_indices(data, max_pixels)
        if int(mask.max()) >= len(classes):
            raise AnswerError(
                f"the mask has value {int(mask.max())}, and there are {len(classes) - 1} labels"
            )
        return mask
    colors = classes.hex_colors()
    mapping = {parse_color(colors[index]): index for index in range(1, len(classes))}
    mask = np.zeros((header.height, header.width), np.uint8)
    counts = ColorMatcher({rgb: index for rgb, index in mapping.items() if rgb}, 0).match(
        decode(data, max_pixels), mask
    )
    if counts.unmatched:
        raise AnswerError(f"{counts.unmatched:,} pixels of the mask have no label's colour")
    return mask


def initial_value(classes: Classes, address: str) -> dict[str, Any]:
    """Value of ``initial-value`` for a mask at an address."""
    colors = classes.hex_colors()
    mappings = {name: {"color": colors[i]} for i, name in enumerate(classes.names) if i}
    return {"src": address, "labelMappings": mappings}


def initial_picture(mask: NDArray[np.uint8], classes: Classes) -> bytes:
    """PNG of a mask in the classes' colours, clear where nothing is painted."""
    from PIL import Image

    image = Image.fromarray(mask)
    image.putpalette(palette(classes.hex_colors()).tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0, compress_level=1)
    return out.getvalue()

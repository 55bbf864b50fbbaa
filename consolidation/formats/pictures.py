"""Pictures within annotations, and the size of the picture that was annotated."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consolidation import storage
from consolidation.errors import AnswerError, ConsolidationError
from consolidation.formats.shapes import Plane, cut
from consolidation.masks import MAX_PIXELS, decode

_ORIENTATION = 0x0112
_HEADER = 1 << 18
"""Bytes in which the size of a picture is looked for."""


@dataclass(frozen=True, eq=False)
class Bitmap:
    """A PNG whose painted pixels are a region.

    Those are the ones that show, where it has an alpha channel or uses a transparent colour, and
    the ones that are not 0 where it has not.

    Attributes
    ----------
    png : bytes
    top, left : int
        Where it lies in the image.
    whole : bool
        Whether it must have the image's size.
    """

    png: bytes
    top: int = 0
    left: int = 0
    whole: bool = False

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        # no larger than the image: that is what limits its memory
        pixels = decode(self.png, MAX_PIXELS if self.whole else 4 * height * width)
        values = pixels.values
        if self.whole and values.shape[:2] != (height, width):
            raise AnswerError(
                f"its bitmask has {values.shape[1]} x {values.shape[0]} pixels, the image "
                f"{width} x {height}"
            )
        if pixels.palette is not None:
            used = pixels.palette
            see_through = bool((used[:, 3] < 255)[np.unique(values)].any())
            painted = used[:, 3] > 0 if see_through else np.arange(256) > 0
            plane: NDArray[np.uint8] = np.asarray(painted[values]).view(np.uint8)
        elif values.shape[2] == 4:
            plane = np.ascontiguousarray(values[..., 3])
        else:
            plane = np.asarray(values.any(axis=2)).view(np.uint8)
        return cut(Plane(plane, self.top, self.left), height, width)


def picture_size(uri: str) -> tuple[int, int] | None:
    """Height and width of a picture as it is shown, None if it cannot be read.

    Cameras write pictures lying and say so in EXIF; browsers, and tools in them, turn these.
    """
    errors = (ConsolidationError, OSError, SyntaxError, ValueError, struct.error, zlib.error)
    with contextlib.suppress(*errors, Image.DecompressionBombError):
        image = Image.open(io.BytesIO(storage.read_range(uri, 0, _HEADER)))
        width, height = image.size
        lying = image.getexif().get(_ORIENTATION, 1) >= 5
        return (width, height) if lying else (height, width)
    return None

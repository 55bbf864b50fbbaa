"""The picture that objects are looked for in, as an array of its pixels as they are stored."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consolidation.errors import SourceError
from consolidation.masks.chunks import MAX_PIXELS
from consolidation.text import shown

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000")


def read_picture(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> NDArray[np.generic]:
    """Decode a picture.

    Parameters
    ----------
    data : bytes
        PNG, JPEG, TIFF, WebP, BMP, GIF or JPEG 2000.
    name : str
        What to call it in messages.
    max_pixels : int
        Largest picture that is decoded.

    Returns
    -------
    array (H, W) or (H, W, 3)
        uint8, or uint16 for grey pictures of 16 bits. Transparency is dropped; nothing is turned
        by what EXIF data say, since masks belong to pixels as they are stored.

    Raises
    ------
    SourceError
        If it is no picture, is damaged, or is too large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow's own limit is lower than ours, and damaged metadata do no harm here
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > max_pixels:
                    raise SourceError(
                        f"{name} has {width} x {height} pixels, the limit is {max_pixels:,}"
                    )
                if image.mode.startswith("I"):
                    return np.asarray(image).clip(0, 65535).astype(np.uint16)
                grey = image.mode in ("1", "L", "LA")
                return np.array(image.convert("L" if grey else "RGB"))
    except SourceError:
        raise
    except Exception as error:
        # Pillow's readers raise whatever a damaged file leads them to
        raise SourceError(f"{name} is no picture that can be read: {shown(str(error))}") from None

"""The picture behind the masks, from whatever file it comes in."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from consolidation.masks import MAX_PIXELS
from consolidation.report.snapshot import SIDE, reduced, step_for

# no more: some of Pillow's readers start other programs, and pictures come from strangers
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000")
QUALITY = 80
SAME_SHAPE = 0.01
"""Sides may differ so much, relatively, from the masks' shape."""


def open_picture(data: bytes, size: tuple[int, int], side: int | None = None) -> Image.Image | None:
    """Read a picture as RGB of the masks' size, or as large as their copy in a report.

    Taken as it is stored; turned as its EXIF data say only where it fits the masks no other way,
    for masks were painted over what a browser showed. More than 8 bits a channel are stretched
    between the 1st and 99th percentile.

    Parameters
    ----------
    data : bytes
        JPEG, PNG, TIFF, WebP, BMP, GIF or JPEG 2000.
    size : (int, int)
        Height and width of the masks.
    side : int, optional
        Pixels of the longer side, at most, as in `consolidation.report.take`.

    Returns
    -------
    PIL.Image.Image or None
        None for a picture that cannot be read or does not have the masks' shape: a result does not
        depend on it.
    """
    height, width = size if side is None else reduced(size, step_for(size, side))
    try:
        with warnings.catch_warnings():
            # Pillow's own limit is lower than ours, and damaged metadata do no harm here
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return None
                turned = not _fits(image.size, size)
                if turned and not _fits(image.size[::-1], size):
                    return None
                if image.format == "JPEG" and not turned:
                    # decoded at a half, a quarter or an eighth where that is enough
                    image.draft("RGB", (width, height))
                upright: Image.Image = ImageOps.exif_transpose(image) if turned else image
                if not _fits(upright.size, size):
                    return None
                rgb = _eight_bits(upright)
        return rgb.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)
    except Exception:
        # Pillow's readers raise whatever a damaged file leads them to; the report does without
        return None


def small_jpeg(data: bytes, size: tuple[int, int], side: int = SIDE) -> bytes | None:
    """JPEG of a picture as large as the copy of its masks; None as for `open_picture`."""
    picture = open_picture(data, size, side)
    if picture is None:
        return None
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _fits(shape: Sequence[int], size: tuple[int, int]) -> bool:
    """Whether width and height have the shape of the masks' height and width."""
    return abs(shape[0] * size[0] - shape[1] * size[1]) <= SAME_SHAPE * shape[0] * size[0]


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image).astype(np.float64)
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = np.percentile(values, (1, 99))
        span = max(high - low, 1e-12)
        image = Image.fromarray(np.rint((values - low).clip(0, span) / span * 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")

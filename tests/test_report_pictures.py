"""Pictures of every kind end as RGB of the masks' size, or are left out."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation.report import open_picture, small_jpeg

SIZE = (40, 60)
LEFT_RED = np.zeros((*SIZE, 3), np.uint8)
LEFT_RED[:, :30, 0] = 255


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def is_left_red(image: Image.Image | None) -> bool:
    assert image is not None
    array = np.asarray(image)
    assert array.shape == (*SIZE, 3)
    return bool(array[20, 10, 0] > 200 and array[20, 50, 0] < 60)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_formats(kind: str) -> None:
    assert is_left_red(open_picture(saved(Image.fromarray(LEFT_RED), kind), SIZE))


def test_modes() -> None:
    cmyk = Image.fromarray(LEFT_RED).convert("CMYK")
    assert is_left_red(open_picture(saved(cmyk, "JPEG"), SIZE))
    assert is_left_red(open_picture(saved(Image.fromarray(LEFT_RED).convert("P"), "PNG"), SIZE))
    clear = Image.fromarray(np.zeros((*SIZE, 4), np.uint8))
    shown = open_picture(saved(clear, "PNG"), SIZE)
    assert shown is not None and shown.getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_are_stretched() -> None:
    values = np.linspace(1000, 1400, SIZE[0] * SIZE[1]).reshape(SIZE).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        shown = open_picture(saved(Image.fromarray(values), kind), SIZE)
        assert shown is not None
        grey = np.asarray(shown)[..., 0]
        assert grey.min() == 0 and grey.max() == 255 and 110 < grey[20, 30] < 145
    flat = saved(Image.fromarray(np.full(SIZE, 7, np.uint16)), "PNG")
    assert open_picture(flat, SIZE) is not None


def test_orientation_counts_only_where_the_masks_say_so() -> None:
    image = Image.fromarray(LEFT_RED)
    assert is_left_red(open_picture(saved(image, "JPEG", exif=exif(3)), SIZE))
    stored = image.transpose(Image.Transpose.ROTATE_90)
    assert is_left_red(open_picture(saved(stored, "JPEG", exif=exif(6)), SIZE))
    assert open_picture(saved(stored, "JPEG"), SIZE) is None


def test_larger_pictures_are_reduced() -> None:
    large = Image.fromarray(np.kron(LEFT_RED, np.ones((10, 10, 1), np.uint8)))
    for kind in ("PNG", "JPEG"):
        assert is_left_red(open_picture(saved(large, kind), SIZE))
    small = small_jpeg(saved(large, "PNG"), (400, 600), side=60)
    assert small is not None and is_left_red(Image.open(io.BytesIO(small)))


def test_what_is_no_picture_is_left_out() -> None:
    good = saved(Image.fromarray(LEFT_RED), "JPEG")
    postscript = saved(Image.fromarray(LEFT_RED), "EPS")
    for data in (b"", b"hello", good[:300], postscript, saved(Image.new("L", (61, 61)), "PNG")):
        assert open_picture(data, SIZE) is None
        assert small_jpeg(data, SIZE) is None

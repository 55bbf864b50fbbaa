"""The card of one image: exact colours, every worker, nothing hostile."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consolidation import consolidate
from consolidation.report import show
from tests.report_samples import masks, picture

COLORS = ["#ffffff", "#2ca02c", "#1f77b4"]


def colors_of(png: bytes) -> set[tuple[int, ...]]:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return {tuple(color) for color in np.unique(pixels.reshape(-1, 3), axis=0).tolist()}


def test_a_card_shows_the_classes_in_their_colours() -> None:
    result = consolidate(masks(), workers=["ann", "bob", "cid"])
    card = show(result, names=["background", "road", "tree"], colors=COLORS, title="Image 7")
    assert {(44, 160, 44), (31, 119, 180)} <= colors_of(card.png)
    assert card._repr_png_() == card.png
    again = show(result, names=["background", "road", "tree"], colors=COLORS, title="Image 7")
    assert again.png == card.png
    assert show(result).png != card.png, "numbers for names"


def test_a_picture_is_shown_if_it_fits() -> None:
    result = consolidate(masks())
    bare = show(result).png
    data = picture()
    array = np.asarray(Image.open(io.BytesIO(data)))
    assert show(result, data).png != bare
    assert show(result, array).png == show(result, data).png
    for other in (b"no picture", picture((50, 32)), array[:5]):
        assert show(result, other).png == bare


def test_any_result_has_a_card(tmp_path: Path) -> None:
    for shape in ((1, 1), (1, 300), (700, 500)):
        many = np.zeros((12, *shape), np.uint8)
        many[::2] = 3
        many[1::2] = 9
        result = consolidate(many, ignore_index=9, n_classes=4, min_votes=7)
        extra = {"the truth": many[0]}
        card = show(result, names=["\u202e<b>" * 40] * 4, title="\ud800" * 900, extra=extra)
        card.save(tmp_path / "card.png")
        with Image.open(tmp_path / "card.png") as image:
            assert image.width < 1100


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'the truth' has shape \(2, 3\), the result \(24, 32\)"):
        show(consolidate(masks()), extra={"the truth": np.zeros((2, 3), np.uint8)})

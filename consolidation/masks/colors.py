"""Colours: of classes in what we write, and their spelling."""

from __future__ import annotations

import colorsys
import re
from functools import cache

BACKGROUND_COLOR = "#ffffff"
WIDGET_COLORS = (
    "#2ca02c",
    "#1f77b4",
    "#ff7f0e",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
)
"""What the labeling widget gives the first labels, in their order."""

_HEX = re.compile(r"#[0-9a-f]{6}")


@cache
def class_color(index: int) -> str:
    """Colour of a class that has none of its own: white for 0, the widget's, then generated ones.

    Examples
    --------
    >>> class_color(0), class_color(1), class_color(11)
    ('#ffffff', '#2ca02c', '#b24d4d')
    """
    if index == 0:
        return BACKGROUND_COLOR
    if index <= len(WIDGET_COLORS):
        return WIDGET_COLORS[index - 1]
    step = index - len(WIDGET_COLORS) - 1
    # the golden ratio spreads hues evenly however many there are; lightness tells rounds apart
    lightness = (0.5, 0.35, 0.65)[step % 3]
    red, green, blue = colorsys.hls_to_rgb((step * 0.61803398875) % 1.0, lightness, 0.4)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def parse_color(text: object) -> tuple[int, int, int] | None:
    """RGB of a colour such as ``#2ca02c``, in either case; None if it is none.

    Examples
    --------
    >>> parse_color("#2CA02C")
    (44, 160, 44)
    """
    if not isinstance(text, str) or not _HEX.fullmatch(text.strip().lower()):
        return None
    value = int(text.strip()[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255


def hex_color(rgb: tuple[int, int, int]) -> str:
    """Spell RGB as ``#2ca02c``."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)

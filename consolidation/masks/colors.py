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

MOST_CHARACTERS = 64
"""Of a colour's spelling."""
_HEX = re.compile(r"#[0-9a-f]{6}")
_SHORT_HEX = re.compile(r"#[0-9a-f]{3}f?")
_OPAQUE_HEX = re.compile(r"(#[0-9a-f]{6})ff")
_NUMBER = r"(\d{1,3}|\d{1,3}(?:\.\d+)?%)"
_RGB = re.compile(
    rf"rgba?\(\s*{_NUMBER}(?:\s*,\s*|\s+){_NUMBER}(?:\s*,\s*|\s+){_NUMBER}"
    r"(?:\s*[,/]\s*(\d{1,3}(?:\.\d+)?%?))?\s*\)",
    re.ASCII,
)


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
    """RGB of an opaque colour as CSS spells it, in either case; None if it is none.

    ``#2ca02c``, ``#2c0``, ``rgb(44, 160, 44)``, ``rgb(44 160 44 / 100%)``, ``rgba(44, 160, 44, 1)``
    and the names of CSS are understood. A colour that lets another one through is none: it says
    nothing of the pixels that it leaves.

    Examples
    --------
    >>> parse_color("#2CA02C"), parse_color("#abc"), parse_color("rgb(44, 160, 44)")
    ((44, 160, 44), (170, 187, 204), (44, 160, 44))
    >>> parse_color("Tomato"), parse_color("rgba(44, 160, 44, 0.5)"), parse_color("reddish")
    ((255, 99, 71), None, None)
    """
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        return None
    spelt = text.strip().lower()
    if _HEX.fullmatch(spelt):
        value = int(spelt[1:], 16)
        return value >> 16, value >> 8 & 255, value & 255
    if _SHORT_HEX.fullmatch(spelt):
        return parse_color("#" + "".join(2 * digit for digit in spelt[1:4]))
    if match := _OPAQUE_HEX.fullmatch(spelt):
        return parse_color(match[1])
    if match := _RGB.fullmatch(spelt):
        red, green, blue = (_channel(part) for part in match.group(1, 2, 3))
        opaque = match[4] is None or float(match[4].rstrip("%")) == (100 if "%" in match[4] else 1)
        if opaque and max(red, green, blue) <= 255:
            return red, green, blue
        return None
    from PIL import ImageColor

    named = ImageColor.colormap.get(spelt)
    return parse_color(named) if isinstance(named, str) else named


def _channel(text: str) -> int:
    # halves upwards, as browsers do
    return int(float(text[:-1]) * 255 / 100 + 0.5) if text.endswith("%") else int(text)


def hex_color(rgb: tuple[int, int, int]) -> str:
    """Spell RGB as ``#2ca02c``."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)

"""Masks whose colours mean classes: what the class list gives, and what contradicts it."""

from __future__ import annotations

from collections.abc import Mapping

from consolidation.formats.class_list import ClassList
from consolidation.formats.survey import Survey
from consolidation.formats.value_doubts import some
from consolidation.masks import Classes, hex_color, parse_color
from consolidation.masks.meaning import IGNORED, VOID
from consolidation.masks.sight import MOST_COLORS, RGBA
from consolidation.text import shown

RGB = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
NEEDED = (
    "--by color needs colors: a classes.json of entries such as "
    '{"index": 1, "name": "cat", "color": "#2ca02c"}, or a labelmap.txt'
)
_CHOOSE = "--by index reads values, --by color the colors of a class list"


def listed_colors(listed: ClassList, classes: Classes) -> tuple[dict[RGB, int], str | None]:
    """Class index by colour, and which classes have the same one, if some do."""
    colors: dict[RGB, int] = {}
    doubt = None
    for index, text in classes.colors.items():
        rgb = parse_color(text)
        assert rgb is not None
        if rgb in colors:
            first, second = (shown(classes.names[number]) for number in (colors[rgb], index))
            doubt = f"{listed.file} gives {first} and {second} the same color {text}"
        colors.setdefault(rgb, index)
    for rgb in listed.void:
        colors.setdefault(rgb, IGNORED)
    return colors, doubt


def palette_doubt(seen: Survey, colors: Mapping[RGB, int], file: str) -> str | None:
    """Palettes that contradict each other, or the class list."""
    if seen.clash:
        return f"the palettes of its masks contradict each other: {seen.clash}; {_CHOOSE}"
    opaque = {
        value: (color[:3], name)
        for value, (color, name) in sorted(seen.palettes.items())
        if color[3] and value not in VOID
    }
    black = next((value for value, (color, _) in opaque.items() if color == BLACK), 0)
    zero, name = opaque.get(0, (BLACK, ""))
    if black and zero not in (BLACK, WHITE):
        return (
            f"value 0 is {hex_color(zero)} in the palette of {name} and {black} is black: which of "
            f"them is background? {_CHOOSE}"
        )
    for value, (color, name) in opaque.items():
        index = colors.get(color)
        if index not in (None, value):
            return (
                f"palette and class list contradict each other: value {value} is "
                f"{hex_color(color)} in {name}, which {file} gives to class {index}; {_CHOOSE}"
            )
    return None


def unlisted_colors(seen: Survey, colors: Mapping[RGB, int], by_color: bool) -> str | None:
    """Colours of which none is a class's, black and white aside."""
    held = dict(seen.colors)
    if by_color:
        held |= {color: 1 for color, _ in seen.palettes.values()}
    painted = {color[:3] for color in held if color[3] == 255} - ({BLACK, WHITE} - colors.keys())
    if not painted or painted & colors.keys() or seen.indexed:
        return None
    return (
        f"none of the colours in its masks is a class's: {seen.colored_example} has "
        f"{_colors(held)}, the classes have {some(map(hex_color, colors))}"
    )


def colors_unlisted(seen: Survey) -> tuple[str, bool] | None:
    """Pictures in colour without colours of classes, and whether these are most of all."""
    if not seen.colored:
        return None
    text = (
        f"{seen.colored:,} of {seen.looked:,} masks are pictures in colour: "
        f"{seen.colored_example} has {_colors(seen.colors)}"
    )
    if seen.colored < seen.indexed:
        return text, False
    example = next(
        (color[:3] for color in seen.colors if color[3] and any(color[:3])), (44, 160, 44)
    )
    entry = f'{{"index": 1, "name": "cat", "color": "{hex_color(example)}"}}'
    return (
        f"{text}; a class list with colors is missing: classes.json such as "
        f'{{"classes": [{entry}]}}, or a labelmap.txt',
        True,
    )


def _colors(held: Mapping[RGBA, int]) -> str:
    if len(held) >= MOST_COLORS:
        return "over 1,000 colours, as photographs and smoothed borders have"
    order = sorted(held, key=lambda color: (-held[color], color))
    return some(hex_color(color[:3]) if color[3] else "transparent" for color in order)

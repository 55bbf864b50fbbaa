"""What colours mean: the five rules, one at a time, and the same by palette and by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consolidation.errors import AnswerError
from consolidation.masks import ColorMatcher, MatchCounts, Pixels

IGNORE = 255
GREEN, BLUE, BLACK, WHITE = (44, 160, 44), (31, 119, 180), (0, 0, 0), (255, 255, 255)
Color = tuple[int, int, int, int]


def match(
    matcher: ColorMatcher, colors: npt.ArrayLike, dtype: Any = np.uint8
) -> tuple[list[int], MatchCounts]:
    """Match one row of RGB or RGBA pixels."""
    values = np.asarray(colors, np.uint8)[None]
    out = np.full(values.shape[:2], 77, dtype)
    counts = matcher.match(Pixels(values, None), out)
    return out[0].tolist(), counts


def match_palette(
    matcher: ColorMatcher, colors: list[Color], dtype: Any = np.uint8
) -> tuple[list[int], MatchCounts]:
    """Match the same pixels where every colour is an entry of a palette."""
    entries = list(dict.fromkeys(colors))
    palette = np.zeros((256, 4), np.uint8)
    palette[: len(entries)] = entries
    values = np.array([[entries.index(color) for color in colors]], np.uint8)
    out = np.full(values.shape, 77, dtype)
    counts = matcher.match(Pixels(values, palette), out)
    return out[0].tolist(), counts


def naive(
    color: Color, mapping: dict[tuple[int, int, int], int], snap: float
) -> tuple[int, str | int]:
    """Value of a pixel, and which rule says so, straight from the module's docstring."""
    rgb, alpha = color[:3], color[3]
    if alpha == 0:
        return 0, "transparent"
    if alpha < 255:
        return IGNORE, "unmatched"
    rule: str | int = "mapped"
    index = mapping.get(rgb)
    if index is None and rgb in (BLACK, WHITE):
        return 0, "opaque"
    if index is None and snap > 0:
        near = {one: sum((a - b) ** 2 for a, b in zip(one, rgb, strict=True)) for one in mapping}
        best = min(near, key=lambda one: near[one], default=None)
        if best is not None and near[best] <= snap * snap:
            index, rule = mapping[best], "snapped"
    if index is None:
        return IGNORE, "unmatched"
    return (index, rule) if index >= 0 else (IGNORE, index)


def naive_counts(rules: list[str | int]) -> MatchCounts:
    unknown = sorted({rule for rule in rules if isinstance(rule, int)}, reverse=True)
    return MatchCounts(
        opaque_background=rules.count("opaque"),
        snapped=rules.count("snapped"),
        unmatched=rules.count("unmatched"),
        unknown=tuple((-rule - 1, rules.count(rule)) for rule in unknown),
        foreign=bool(unknown or "unmatched" in rules)
        and not ("mapped" in rules or "snapped" in rules),
    )


@pytest.mark.parametrize(
    "color, value, counts",
    [
        ((*GREEN, 0), 0, MatchCounts()),  # 1: transparent, whatever the colour
        ((9, 9, 9, 0), 0, MatchCounts()),
        ((*GREEN, 255), 1, MatchCounts()),  # 2: mapped
        ((*BLUE, 255), 2, MatchCounts()),
        ((*BLACK, 255), 0, MatchCounts(opaque_background=1)),  # 3
        ((*WHITE, 255), 0, MatchCounts(opaque_background=1)),
        ((44, 160, 45, 255), IGNORE, MatchCounts(unmatched=1, foreign=True)),  # 5: one off
        (
            (*GREEN, 254),
            IGNORE,
            MatchCounts(unmatched=1, foreign=True),
        ),  # 5: mapped, but half transparent
        ((*BLACK, 128), IGNORE, MatchCounts(unmatched=1, foreign=True)),
        ((*WHITE, 1), IGNORE, MatchCounts(unmatched=1, foreign=True)),
        ((1, 0, 0, 255), IGNORE, MatchCounts(unmatched=1, foreign=True)),
    ],
)
def test_each_rule_alone(color: Color, value: int, counts: MatchCounts) -> None:
    matcher = ColorMatcher({GREEN: 1, BLUE: 2}, IGNORE)
    assert match(matcher, [color]) == ([value], counts)
    assert match_palette(matcher, [color]) == ([value], counts)


@pytest.mark.parametrize("color", [BLACK, WHITE])
def test_a_label_that_is_black_or_white_is_a_label(color: tuple[int, int, int]) -> None:
    matcher = ColorMatcher({color: 3}, IGNORE)
    # but where it is transparent it is still background: in an answer, unpainted is (0, 0, 0, 0)
    assert match(matcher, [(*color, 255), (*color, 0)]) == ([3, 0], MatchCounts())
    assert match(matcher, [color]) == ([3], MatchCounts())


@pytest.mark.parametrize(
    "snap, color, value",
    [
        (5.0, (47, 164, 44), 1),  # distance exactly 5
        (4.99, (47, 164, 44), IGNORE),
        (0.0, (44, 160, 45), IGNORE),
        (0.5, (44, 160, 45), IGNORE),
        (442.0, (255, 0, 255), 2),
        (442.0, (1, 1, 1), 1),
    ],
)
def test_snapping_reaches_exactly_as_far_as_told(
    snap: float, color: tuple[int, int, int], value: int
) -> None:
    matcher = ColorMatcher({GREEN: 1, BLUE: 2}, IGNORE, snap)
    nothing = MatchCounts(unmatched=1, foreign=True)
    counts = nothing if value == IGNORE else MatchCounts(snapped=1)
    assert match(matcher, [color]) == ([value], counts)


def test_snapping_never_takes_black_white_or_transparent_pixels() -> None:
    matcher = ColorMatcher({(1, 1, 1): 1, (254, 254, 254): 2}, IGNORE, 442)
    found, counts = match(matcher, [(*BLACK, 255), (*WHITE, 255), (1, 1, 2, 254), (1, 1, 1, 0)])
    assert found == [0, 0, IGNORE, 0]
    assert counts == MatchCounts(opaque_background=2, unmatched=1, foreign=True)


def test_labels_that_are_no_classes_are_ignored_and_counted_apart() -> None:
    matcher = ColorMatcher({GREEN: -1, BLUE: 1, (9, 9, 9): -2, (8, 0, 0): -3}, IGNORE)
    row = [GREEN, GREEN, BLUE, (9, 9, 9), WHITE]
    expected = [IGNORE, IGNORE, 1, IGNORE, 0]
    # the third unknown label is not painted, and not mentioned
    counts = MatchCounts(opaque_background=1, unknown=((0, 2), (1, 1)))
    assert match(matcher, row) == (expected, counts)
    assert match_palette(matcher, [(*color, 255) for color in row]) == (expected, counts)


@pytest.mark.parametrize(
    ("row", "foreign"),
    [
        ([(0, 0, 0, 0)], False),
        ([(*BLACK, 255), (*WHITE, 255)], False),  # not painted
        ([(*BLUE, 255)], True),
        ([(*BLUE, 255), (0, 0, 0, 0), (*WHITE, 255)], True),
        ([(5, 5, 5, 255), (0, 0, 0, 0)], True),
        ([(*GREEN, 128)], True),  # of a class's colour, but half transparent
        ([(*BLUE, 255), (*GREEN, 255)], False),
        ([(5, 5, 5, 255), (7, 7, 7, 255)], False),
    ],
)
def test_foreign_is_what_paints_and_nothing_of_a_class(row: list[Color], foreign: bool) -> None:
    # a class may be background: who paints it says so
    matcher = ColorMatcher({GREEN: 1, BLUE: -1, (7, 7, 7): 0}, IGNORE)
    assert match(matcher, row)[1].foreign == foreign
    assert match_palette(matcher, row)[1].foreign == foreign


def test_without_any_label_every_color_is_unmatched() -> None:
    matcher = ColorMatcher({}, IGNORE, snap=10)
    assert match(matcher, [GREEN, WHITE]) == (
        [IGNORE, 0],
        MatchCounts(opaque_background=1, unmatched=1, foreign=True),
    )


def test_values_above_255_fit_where_out_is_sixteen_bits() -> None:
    matcher = ColorMatcher({GREEN: 255, BLUE: 300}, 65535)
    row: list[Color] = [(*GREEN, 255), (*BLUE, 255), (5, 5, 5, 255), (0, 0, 0, 0)]
    counts = MatchCounts(unmatched=1)
    assert match(matcher, row, np.uint16) == ([255, 300, 65535, 0], counts)
    assert match_palette(matcher, row, np.uint16) == ([255, 300, 65535, 0], counts)


def test_palette_entries_that_no_pixel_has_are_not_counted() -> None:
    palette = np.full((256, 4), 255, np.uint8)
    palette[:3] = [(9, 9, 9, 255), (*GREEN, 255), (0, 0, 0, 0)]
    out = np.empty((2, 2), np.uint8)
    pixels = Pixels(np.array([[1, 2], [2, 1]], np.uint8), palette)
    assert ColorMatcher({GREEN: 4}, IGNORE).match(pixels, out) == MatchCounts()
    assert out.tolist() == [[4, 0], [0, 4]]


CHANNEL = st.sampled_from([0, 1, 3, 4, 8, 254, 255])
RGBS = st.tuples(CHANNEL, CHANNEL, CHANNEL)
MAPPINGS = st.dictionaries(RGBS, st.integers(-3, 254), max_size=6)
ALPHAS = st.sampled_from([0, 1, 128, 254, 255, 255, 255])
PIXELS = st.lists(
    st.builds(lambda rgb, alpha: (*rgb, alpha), RGBS, ALPHAS), min_size=1, max_size=60
)
SNAPS = st.sampled_from([0.0, 1.0, 1.5, 5.0, 442.0])


@given(MAPPINGS, PIXELS, SNAPS)
@settings(max_examples=200)
def test_palette_and_pixels_and_the_naive_rules_agree(
    mapping: dict[tuple[int, int, int], int], row: list[Color], snap: float
) -> None:
    matcher = ColorMatcher(mapping, IGNORE, snap)
    values, rules = zip(*(naive(color, mapping, snap) for color in row), strict=True)
    expected = list(values), naive_counts(list(rules))
    assert match(matcher, row) == expected
    assert match_palette(matcher, row) == expected
    opaque = [color for color in row if color[3] == 255]
    if opaque:
        assert match(matcher, [color[:3] for color in opaque]) == match(matcher, opaque)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("distinct", [3071, 3072, 3073, 4097, 12289, 20000])
def test_more_colors_than_the_table_has_room_for_at_first(distinct: int, channels: int) -> None:
    # 3/4 of 4096 and of 16384 slots are where it grows
    rng = np.random.default_rng(distinct)
    numbers = rng.choice(1 << 24, distinct, replace=False)
    colors = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], 1).astype(np.uint8)
    mapping = {tuple(color): index % 7 + 1 for index, color in enumerate(colors[::97].tolist())}
    index = rng.permutation(np.repeat(np.arange(distinct), 2))
    if channels == 4:
        alpha = rng.choice(np.array([0, 200, 255], np.uint8), distinct)
        colors = np.concatenate([colors, alpha[:, None]], axis=1)
    expected = [
        naive((*color, 255)[:4] if channels == 3 else tuple(color), mapping, 0)
        for color in colors.tolist()
    ]
    found, counts = match(ColorMatcher(mapping, IGNORE), colors[index])
    assert found == [expected[one][0] for one in index]
    assert counts == naive_counts([expected[one][1] for one in index])


def test_colors_that_fall_into_one_slot_are_told_apart() -> None:
    # all greens of one red and blue, and all alphas: neighbours in the table's key
    colors = np.zeros((256 * 256, 4), np.uint8)
    colors[:, 1] = np.repeat(np.arange(256), 256)
    colors[:, 3] = np.tile(np.arange(256), 256)
    mapping = {(0, green, 0): green % 200 + 1 for green in range(1, 256, 2)}
    expected = np.full((256, 256), IGNORE, np.uint8)
    expected[:, 0] = 0
    expected[0, 255] = 0
    expected[1::2, 255] = [green % 200 + 1 for green in range(1, 256, 2)]
    found, _ = match(ColorMatcher(mapping, IGNORE), colors)
    assert found == expected.reshape(-1).tolist()


@given(
    arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([3, 4]))
    )
)
def test_the_layout_in_memory_does_not_matter(values: npt.NDArray[np.uint8]) -> None:
    matcher = ColorMatcher({(0, 0, 0): 5}, IGNORE)
    straight, turned = np.empty(values.shape[:2], np.uint8), np.empty(values.shape[:2], np.uint8)
    counts = matcher.match(Pixels(values, None), straight)
    assert matcher.match(Pixels(np.asfortranarray(values), None), turned) == counts
    np.testing.assert_array_equal(straight, turned)


def test_a_picture_of_too_many_colours_is_refused() -> None:
    values = np.arange(1 << 17, dtype=np.uint32).view(np.uint8).reshape(256, 512, 4)[..., :3]
    out = np.empty((256, 512), np.uint8)
    with pytest.raises(AnswerError, match="more than 65,536 colours: a picture, not a mask"):
        ColorMatcher({}, 255).match(Pixels(np.ascontiguousarray(values), None), out)

"""What the stored values of a source's masks mean: decided once, for all of them.

Understood, or refused with the cause and what would help: values are never given a meaning that
they may not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NoReturn

from consolidation.errors import OptionError, SourceError
from consolidation.formats.class_list import ClassList
from consolidation.formats.survey import Mask, Survey, look_through
from consolidation.formats.value_option import ValueOption
from consolidation.limits import Limits
from consolidation.masks import MAX_PIXELS, Classes, hex_color, parse_color
from consolidation.masks.classes import BACKGROUND, MAX_CLASSES
from consolidation.masks.meaning import IGNORED, VOID, Meaning
from consolidation.masks.sight import MOST_COLORS
from consolidation.options import Options
from consolidation.text import percent, shown

RGB = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0, 255), (255, 255, 255)
SCALED_STEP, NEARLY_WHITE = 16, 240
"""Distance of grey levels that eyes tell apart, and where the last of evenly spaced ones lies."""
SOME = 5
"""Values, colours and classes that a message lists."""


@dataclass(frozen=True)
class ValueReading:
    """What the caller says of values, and the limits of a picture."""

    values: str = ""
    """See `ValueOption`."""
    by: str = "auto"
    """Whether palettes mean classes by index or by color; auto: by index, if they agree."""
    no_background: bool = False
    blank_is_fine: bool = False
    """Whether masks may have no class at all: not where they are to tell the classes."""
    max_pixels: int = MAX_PIXELS
    max_bytes: int = Limits.answer_bytes

    @classmethod
    def of(cls, options: Options) -> ValueReading:
        """What a run's options say."""
        return cls(
            options.values,
            options.by,
            options.no_background,
            max_pixels=options.max_pixels,
            max_bytes=options.max_answer_bytes,
        )


@dataclass(frozen=True)
class Decision:
    """Classes with the meaning of values, and what is to be said of it."""

    classes: Classes
    notes: tuple[str, ...] = ()


def decide_values(
    masks: Sequence[Mask], listed: ClassList | None, reading: ValueReading, where: str
) -> Decision:
    """Look through masks and decide what their values mean.

    Without a class list all are looked at, for they tell the classes. With one, some that are
    spread over the source will do, unless they leave a doubt.

    Raises
    ------
    SourceError
        If the values have no meaning, or more than one.
    OptionError
        If what the caller says of them cannot be.
    """

    def enough(seen: Survey) -> bool:
        if listed is None or not (seen.classes or seen.void or seen.colors):
            return False
        try:
            decided = _Deciding(seen, listed, reading, where).decide().classes
        except SourceError:
            return False
        # a list without background may begin at 0: only its last index tells that it does not
        plain = not (listed.indexed or listed.begins_with_background or reading.no_background)
        return not plain or bool(seen.colors) or len(decided) - 1 in seen.values or _is_binary(seen)

    by_color = listed is not None and listed.has_colors and reading.by != "index"
    trusted = bool(reading.values)
    seen = look_through(masks, by_color, trusted, enough)
    return _Deciding(seen, listed, reading, where).decide()


def _is_binary(seen: Survey) -> bool:
    """Whether masks hold black and white alone."""
    return bool(seen.void) and not seen.classes and 0 in seen.values


class _Deciding:
    """One decision: what was seen, against what is listed and said."""

    def __init__(
        self, seen: Survey, listed: ClassList | None, reading: ValueReading, where: str
    ) -> None:
        self.seen, self.listed, self.reading, self.where = seen, listed, reading, where
        self.said = ValueOption.parse(reading.values)
        self.notes: list[str] = []

    def decide(self) -> Decision:
        seen = self.seen
        self._refuse_what_is_no_mask()
        colors = self._listed_colors()
        by_color = self._by_color(colors)
        if colors and (by_color or seen.colored):
            self._check_colors(colors, by_color)
        elif seen.colored:
            self._say_colored()
        if self.said.ranges:
            classes, values, text = self._by_hand()
        elif by_color or (colors and not seen.indexed):
            classes, values, text = self._classes(0), {}, "colours of the class list"
        else:
            classes, values, text = self._by_value()
        if self.listed is not None and self.listed.begins_with_background and seen.looked:
            name = self.listed.entries[0].name
            if not self.reading.no_background:
                self.notes.append(f"{self.listed.file} begins with {shown(name)}: that is class 0")
        if not seen.whole:
            self.notes.append(f"values are told from {seen.looked:,} of {seen.total:,} masks")
        meaning = Meaning(
            values=values,
            colors=colors,
            by_color=by_color,
            void_alone=bool(seen.void) or self.said.insist or bool(self.said.ranges),
            text=text,
        )
        return Decision(replace(classes, meaning=meaning), tuple(self.notes))

    # -- what cannot be read, or is no mask

    def _refuse_what_is_no_mask(self) -> None:
        seen = self.seen
        for bad, kind in ((seen.unreadable, "can be read"), (seen.flawed, "is a mask")):
            if bad and not seen.indexed and not seen.colored:
                # a source whose masks are damaged here and there is none of this
                name, reason = min(bad)
                raise SourceError(
                    f"{self.where}: no mask in it {kind}: {name}: {self._what(reason)}"
                )
        if not seen.flawed:
            return
        name, reason = min(seen.flawed)
        many = len(seen.flawed) >= seen.indexed + seen.colored
        if many:
            raise SourceError(
                f"{self.where}: {len(seen.flawed):,} of {seen.looked:,} masks hold no class "
                f"indices: {name} is {reason}; {self._insist()}"
            )
        self.notes.append(
            f"{len(seen.flawed):,} of {seen.looked:,} masks hold no class indices: {name} is "
            f"{reason}"
        )

    def _what(self, reason: str) -> str:
        return f"it is {reason}; {self._insist()}" if reason[:1] in "asb" else reason

    def _insist(self) -> str:
        return "--values index insists on indices, --values 0-127=background,128-255=NAME cuts"

    # -- colours

    def _listed_colors(self) -> dict[RGB, int]:
        """Class index by colour of the class list; empty if it gives no colours."""
        if self.listed is None or not self.listed.has_colors or self.reading.by == "index":
            return {}
        classes = self._classes(0)
        colors: dict[RGB, int] = {}
        for index, text in classes.colors.items():
            rgb = parse_color(text)
            assert rgb is not None
            if rgb in colors:
                if self.reading.by == "color" or (self.seen.colored and not self.seen.indexed):
                    first, second = (shown(classes.names[one]) for one in (colors[rgb], index))
                    self._refuse(
                        f"{self.listed.file} gives {first} and {second} the same color {text}"
                    )
                continue
            colors[rgb] = index
        for rgb in self.listed.void:
            colors.setdefault(rgb, IGNORED)
        return colors

    def _by_color(self, colors: Mapping[RGB, int]) -> bool:
        """Whether palettes and greys mean classes by their colours."""
        by, seen = self.reading.by, self.seen
        if by == "color":
            if not colors:
                raise OptionError(
                    "--by color needs colors: a classes.json of entries such as "
                    '{"index": 1, "name": "cat", "color": "#2ca02c"}, or a labelmap.txt'
                )
            return True
        if by == "index" or self.said.ranges or not seen.palettes:
            return False
        choose = "--by index reads values, --by color the colors of a class list"
        if seen.clash:
            self._refuse(f"the palettes of its masks contradict each other: {seen.clash}; {choose}")
        black = next((one for one, (color, _) in seen.palettes.items() if color == BLACK), 0)
        zero, name = seen.palettes.get(0, (BLACK, ""))
        if black and zero[3] and zero[:3] not in (BLACK[:3], WHITE):
            self._refuse(
                f"value 0 is {hex_color(zero[:3])} in the palette of {name} and {black} is black: "
                f"which of them is background? {choose}"
            )
        for value, (color, name) in sorted(seen.palettes.items()):
            index = colors.get(color[:3])
            if index is not None and index != value and color[3] and value not in VOID:
                assert self.listed is not None
                self._refuse(
                    f"palette and class list contradict each other: value {value} is "
                    f"{hex_color(color[:3])} in {name}, which {self.listed.file} gives to class "
                    f"{index}; {choose}"
                )
        return False

    def _check_colors(self, colors: Mapping[RGB, int], by_color: bool) -> None:
        """Refuse colours of which none is listed."""
        seen = self.seen.colors.copy()
        if by_color:
            for color, _ in self.seen.palettes.values():
                seen[color] += 1
        painted = {color[:3] for color in seen if color[3] == 255}
        painted -= {(0, 0, 0), (255, 255, 255)} - colors.keys()
        known = painted & colors.keys()
        if painted and not known and not self.seen.indexed:
            self._refuse(
                f"none of the colours in its masks is a class's: {self.seen.colored_example} has "
                f"{_colors(seen)}, the classes have {_some(map(hex_color, colors))}"
            )
        if known:
            self.notes.append("colours are matched with those of the class list")

    def _say_colored(self) -> None:
        seen = self.seen
        text = (
            f"{seen.colored:,} of {seen.looked:,} masks are pictures in colour: "
            f"{seen.colored_example} has {_colors(seen.colors)}"
        )
        if seen.colored >= seen.indexed:
            example = next((one for one in seen.colors if one[3] and any(one[:3])), (44, 160, 44))
            self._refuse(
                f"{text}; a class list with colors is missing: classes.json such as "
                '{"classes": [{"index": 1, "name": "cat", "color": "'
                + hex_color(example[:3])
                + '"}]}, or a labelmap.txt'
            )
        self.notes.append(text)

    # -- values

    def _by_hand(self) -> tuple[Classes, dict[int, int], str]:
        """Meaning that the caller gives them."""
        if self.listed is not None:
            classes = self._classes(0)
        else:
            labels = self.said.labels
            if not labels:
                raise OptionError("--values names no class beside background")
            classes = Classes.of_labels(labels)
        given = self.said.indices(classes.names)
        values = {value: IGNORED if index is None else index for value, index in given.items()}
        return classes, values, f"--values {self.reading.values}"

    def _by_value(self) -> tuple[Classes, dict[int, int], str]:
        """Meaning of values that are indices, or black and white."""
        seen = self.seen
        if _is_binary(seen) and not self.said.insist:
            return self._black_and_white()
        if seen.void and seen.classes and not self.said.insist:
            self._refuse_mixture()
        highest = max(seen.classes, default=0)
        if not self.said.insist:
            self._refuse_scaled()
        if self.listed is None:
            if highest == 0 and not self.reading.blank_is_fine:
                self._refuse(f"no mask in it has a class above 0{self._blank()}")
            if highest > MAX_CLASSES - 1:
                self._refuse(
                    f"{seen.examples[highest]} holds {highest}, and at most {MAX_CLASSES} classes "
                    "fit: --values says what such values mean"
                )
            names = [f"class-{index}" for index in range(highest + 1)]
            if not self.reading.no_background:
                names[0] = BACKGROUND
            classes = Classes(tuple(names))
        else:
            classes = self._classes(highest)
        void = [value for value in sorted(seen.void) if value >= len(classes)]
        if void:
            share = sum(seen.values[value] for value in void) / seen.values.total()
            self.notes.append(
                f"{' and '.join(map(str, void))} is ignored, as masks commonly say that a pixel "
                f"is not labelled: {percent(share, 1)} of the pixels"
            )
        values = dict(Meaning.of_indices(len(classes)).values)
        if self.listed is not None:
            named = sorted(self.listed.ignored)
            values |= dict.fromkeys(named, IGNORED)
            void = sorted({*void, *named})
        text = _numbered(classes.names) + "".join(f", {value} ignored" for value in void)
        return classes, values, text

    def _refuse_scaled(self) -> None:
        """Refuse greys evenly spaced from black to white: indices that were scaled for the eye."""
        for values in map(sorted, [self.seen.values, *self.seen.by_worker.values()]):
            steps = [high - low for low, high in pairwise(values)]
            even = len(steps) >= 2 and max(steps) - min(steps) <= 1
            if even and steps[0] >= SCALED_STEP and NEARLY_WHITE <= values[-1] <= 255:
                meanings = ",".join(
                    f"{value}={'background' if value == 0 else 'NAME'}" for value in values[:SOME]
                )
                self._refuse(
                    f"{self.seen.examples[values[1]]} and others hold "
                    f"{_some(map(str, values))}, evenly spaced as indices scaled for the eye are: "
                    f"say what they mean, such as --values {meanings}"
                )

    def _blank(self) -> str:
        seen = self.seen
        if seen.void:
            return ": 255 is ignored with --values index"
        return "" if seen.indexed else f": none of {seen.total:,} masks could be read"

    def _black_and_white(self) -> tuple[Classes, dict[int, int], str]:
        """0 and 255 alone: background and the one class that there is."""
        seen = self.seen
        classes = Classes.of_labels(["class-1"]) if self.listed is None else self._classes(1)
        both = " and ".join(map(str, sorted({0, *seen.void})))
        if len(classes) != 2:
            names = ", ".join(map(shown, classes.names[:SOME]))
            self._refuse(
                f"its masks hold {both} alone, as black and white ones do, and {len(classes)} "
                f"classes are listed ({names}): say which is which, such as --values "
                f"0={classes.names[0].lower()},255={classes.names[-1]}"
            )
        values = {0: 0} | dict.fromkeys(seen.void, 1)
        self.notes.append(
            f"its masks hold {both} alone: {classes.names[0]} and {shown(classes.names[1])}"
        )
        return classes, values, f"0 {classes.names[0]}, 255 {classes.names[1]}"

    def _refuse_mixture(self) -> None:
        """Refuse 255 that is white in some masks, where others hold class indices."""
        seen = self.seen
        odd = sorted(
            worker
            for worker, values in seen.by_worker.items()
            if values <= {0, *VOID} and not values.isdisjoint(VOID)
        )
        if seen.together and not odd:
            return
        void = min(seen.void)
        if odd:
            who = f"all masks of {_some(map(shown, odd))} hold 0 and {void} alone"
        else:
            who = f"some masks hold 0 and {void} alone, as {seen.examples[void]}"
        value = min(seen.classes)
        self._refuse(
            f"{who}, as black and white ones do, where others hold class indices, as "
            f"{seen.examples[value]} holds {value}: --values says what they mean, such as --values "
            f"0=background,{value}=NAME,{void}=NAME or {void}=ignored"
        )

    def _classes(self, highest: int) -> Classes:
        """Listed classes, of which none may be in doubt; `highest`: greatest index seen."""
        listed, seen = self.listed, self.seen
        assert listed is not None
        classes = listed.of_indices(self.reading.no_background)
        n = len(listed.entries)
        plain = not (listed.indexed or listed.begins_with_background or self.reading.no_background)
        if plain and n > 1 and not self.said.insist and seen.classes | {0} == set(range(n)):
            names = [one.name for one in listed.entries]
            self._refuse(
                f"{listed.file} lists {n} names without background, and its masks hold 0 to "
                f"{n - 1}: is 0 {shown(names[0])} (then --no-background), or background and 1 "
                f'{shown(names[0])} (then begin the list with "background")?'
            )
        if highest >= len(classes):
            beyond = {value for value in seen.classes - listed.ignored if value >= len(classes)}
            within = {value for value in seen.classes if value < len(classes)}
            if beyond and not within:
                value = min(beyond)
                self._refuse(
                    f"its masks hold {_some(map(str, sorted(beyond)))} ({seen.examples[value]}), "
                    f"and {listed.file} lists {_numbered(classes.names)}: list the classes with "
                    "their indices, or --values says what values mean"
                )
        if highest >= len(classes) and beyond:
            self.notes.append(
                f"{listed.file} has no class for {_some(map(str, sorted(beyond)))}, which masks "
                f"such as {seen.examples[min(beyond)]} hold: their objects fail"
            )
        return classes

    def _refuse(self, text: str) -> NoReturn:
        raise SourceError(f"{self.where}: {text}")


def _numbered(names: Sequence[str]) -> str:
    return _some(f"{index} {name}" for index, name in enumerate(names))


def _some(texts: Iterable[str]) -> str:
    listed = list(texts)
    return ", ".join(listed[:SOME]) + (
        f" and {len(listed) - SOME} more" if len(listed) > SOME else ""
    )


def _colors(seen: Mapping[tuple[int, int, int, int], int]) -> str:
    if len(seen) >= MOST_COLORS:
        return "over 1,000 colours, as photographs and smoothed borders have"
    order = sorted(seen, key=lambda color: (-seen[color], color))
    return _some(hex_color(color[:3]) if color[3] else "transparent" for color in order)

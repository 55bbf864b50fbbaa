"""What the stored values of a source's masks mean: decided once, for all of them.

Understood, or refused with the cause and what would help: values are never given a meaning that
they may not have. What is odd, and how it is said, stands in `value_doubts` and `value_colors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from consolidation.errors import OptionError, SourceError
from consolidation.formats import value_colors, value_doubts
from consolidation.formats.class_list import ClassList
from consolidation.formats.survey import Mask, Survey, look_through
from consolidation.formats.value_option import ValueOption
from consolidation.limits import Limits
from consolidation.masks import MAX_PIXELS, Classes
from consolidation.masks.classes import BACKGROUND, MAX_CLASSES
from consolidation.masks.meaning import IGNORED, Meaning
from consolidation.options import Options
from consolidation.text import percent, shown

Values = tuple[Classes, dict[int, int], str]
"""Classes, index by stored value, and the same for people."""


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
    said = ValueOption.parse(reading.values)

    def enough(seen: Survey) -> bool:
        if listed is None or not (seen.classes or seen.void or seen.colors):
            return False
        try:
            decided = _Question(seen, listed, reading, said, where).decide().classes
        except SourceError:
            return False
        # a list without background may begin at 0: only its last index tells that it does not
        last = len(decided) - 1 in seen.values or seen.is_black_and_white
        return not _may_begin_at_0(listed, reading) or bool(seen.colors) or last

    by_color = listed is not None and listed.has_colors and reading.by != "index"
    seen = look_through(masks, by_color, bool(reading.values), enough)
    return _Question(seen, listed, reading, said, where).decide()


def _may_begin_at_0(listed: ClassList, reading: ValueReading) -> bool:
    return not (listed.indexed or listed.begins_with_background or reading.no_background)


@dataclass
class _Question:
    """What was seen, against what is listed and said."""

    seen: Survey
    listed: ClassList | None
    reading: ValueReading
    said: ValueOption
    where: str
    notes: list[str] = field(default_factory=list)

    def decide(self) -> Decision:
        seen, listed = self.seen, self.listed
        self._refuse_if(value_doubts.nothing_to_read(seen))
        self._refuse_or_note(value_doubts.flawed_masks(seen))
        colors, by_color = self._colors()
        if self.said.ranges:
            classes, values, text = self._by_hand()
        elif by_color or (colors and not seen.indexed):
            classes, values, text = self._listed_classes(), {}, "colours of the class list"
        elif seen.is_black_and_white and not self.said.insist:
            classes, values, text = self._black_and_white()
        else:
            classes, values, text = self._by_index()
        if listed is not None and listed.begins_with_background and not self.reading.no_background:
            name = shown(listed.entries[0].name)
            self.notes.append(f"{listed.file} begins with {name}: that is class 0")
        if not seen.whole:
            self.notes.append(f"values are told from {seen.looked:,} of {seen.total:,} masks")
        alone = bool(seen.void) or bool(self.reading.values)
        meaning = Meaning(values, colors, by_color, alone, text)
        return Decision(replace(classes, meaning=meaning), tuple(self.notes))

    def _colors(self) -> tuple[dict[value_colors.RGB, int], bool]:
        """Class index by colour, and whether palettes and greys are read by it."""
        seen, listed, by = self.seen, self.listed, self.reading.by
        colors: dict[value_colors.RGB, int] = {}
        if listed is not None and listed.has_colors and by != "index":
            colors, doubt = value_colors.listed_colors(listed, self._listed_classes())
            if by == "color" or (seen.colored and not seen.indexed):
                self._refuse_if(doubt)
        if by == "color" and not colors:
            raise OptionError(value_colors.NEEDED)
        if by == "auto" and not self.said.ranges:
            file = "" if listed is None else listed.file
            self._refuse_if(value_colors.palette_doubt(seen, colors, file))
        if colors and (by == "color" or seen.colored):
            self._refuse_if(value_colors.unlisted_colors(seen, colors, by == "color"))
            self.notes.append("colours are matched with those of the class list")
            self._take_black(colors, by == "color")
        elif seen.colored:
            self._refuse_or_note(value_colors.colors_unlisted(seen))
        return colors, by == "color"

    def _take_black(self, colors: dict[value_colors.RGB, int], by_color: bool) -> None:
        """Take black for background, which is said once, where no class has it."""
        held = set(self.seen.colors)
        if by_color:
            held |= {color for color, _ in self.seen.palettes.values()}
        black = (*value_colors.BLACK, 255) in held
        if black and value_colors.BLACK not in colors and not self.reading.no_background:
            colors[value_colors.BLACK] = 0
            self.notes.append("black, which the class list gives to no class, is background")

    def _by_hand(self) -> Values:
        """Meaning that the caller gives them."""
        if self.listed is not None:
            classes = self._listed_classes()
        elif self.said.labels:
            classes = Classes.of_labels(self.said.labels)
        else:
            raise OptionError("--values names no class beside background")
        indices = self.said.indices(classes.names)
        values = {value: IGNORED if index is None else index for value, index in indices.items()}
        return classes, values, f"--values {self.reading.values}"

    def _black_and_white(self) -> Values:
        """0 and 255 alone: background and the one class that there is."""
        void = self.seen.void
        listed = self.listed is not None
        classes = self._listed_classes() if listed else Classes.of_labels(["class-1"])
        both = " and ".join(map(str, sorted({0, *void})))
        self._refuse_if(value_doubts.several_whites(both, classes.names))
        names = classes.names
        self.notes.append(f"its masks hold {both} alone: {names[0]} and {shown(names[1])}")
        return classes, {0: 0} | dict.fromkeys(void, 1), f"0 {names[0]}, {max(void)} {names[1]}"

    def _by_index(self) -> Values:
        """Values are class indices, or void."""
        seen, listed = self.seen, self.listed
        if not self.said.insist:
            self._refuse_if(value_doubts.mixture(seen) or value_doubts.scaled(seen))
        classes = self._unlisted_classes() if listed is None else self._listed_classes()
        if listed is not None:
            self._refuse_or_note(value_doubts.beyond_list(seen, listed, classes))
        ignored = set() if listed is None else listed.ignored
        void = {value for value in seen.void if value >= len(classes)}
        if void:
            share = sum(seen.values[value] for value in void) / seen.values.total()
            self.notes.append(
                f"{' and '.join(map(str, sorted(void)))} is ignored, as masks commonly say that a "
                f"pixel is not labelled: {percent(share, 1)} of the pixels"
            )
        values = dict(Meaning.of_indices(len(classes)).values) | dict.fromkeys(ignored, IGNORED)
        text = value_doubts.numbered(classes.names)
        text += "".join(f", {number} ignored" for number in sorted(void | ignored))
        return classes, values, text

    def _unlisted_classes(self) -> Classes:
        """Classes numbered up to the highest value."""
        seen = self.seen
        highest = max(seen.classes, default=0)
        if highest == 0 and not self.reading.blank_is_fine:
            why = f", only {' and '.join(map(str, sorted(seen.void)))}" if seen.void else ""
            why = why if seen.indexed else f": none of {seen.total:,} masks could be read"
            self._refuse(f"no mask in it has a class above 0{why}")
        if highest > MAX_CLASSES - 1:
            self._refuse(
                f"{seen.examples[highest]} holds {highest}, and at most {MAX_CLASSES} classes fit: "
                "--values says what such values mean"
            )
        names = [f"class-{index}" for index in range(highest + 1)]
        if not self.reading.no_background:
            names[0] = BACKGROUND
        return Classes(tuple(names))

    def _listed_classes(self) -> Classes:
        assert self.listed is not None
        if not self.said.insist and _may_begin_at_0(self.listed, self.reading):
            self._refuse_if(value_doubts.first_index(self.seen, self.listed))
        return self.listed.of_indices(self.reading.no_background)

    def _refuse_if(self, doubt: str | None) -> None:
        if doubt is not None:
            self._refuse(doubt)

    def _refuse_or_note(self, doubt: tuple[str, bool] | None) -> None:
        """Refuse what is odd with most masks, and note what is with some."""
        if doubt is not None and doubt[1]:
            self._refuse(doubt[0])
        if doubt is not None:
            self.notes.append(doubt[0])

    def _refuse(self, text: str) -> NoReturn:
        raise SourceError(f"{self.where}: {text}")

"""The classes of a job: names and colours, in one order for all of its images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import OptionError
from consolidation.limits import Limits
from consolidation.masks.colors import BACKGROUND_COLOR, class_color, parse_color
from consolidation.masks.meaning import Meaning
from consolidation.text import shown

BACKGROUND = "BACKGROUND"
UNDECIDED = "UNDECIDED"
UNDECIDED_INDEX = 255
MAX_CLASSES = 255
UNDECIDED_COLORS = tuple(f"#{255 - k:02x}{k:02x}{255 - k:02x}" for k in range(256))
"""More than there are classes: one is always free."""


def is_background(name: str) -> bool:
    """Whether a name spells background, in any way.

    Examples
    --------
    >>> [is_background(name) for name in ("_background_", "Back ground", "BG", "road")]
    [True, True, True, False]
    """
    return "".join(filter(str.isalpha, name.casefold())) in ("background", "bg")


@dataclass(frozen=True)
class Classes:
    """Names of the classes by index; index 0 is background, unless they were made without.

    Attributes
    ----------
    names : tuple of K str
        At most 256, background included.
    colors : mapping of class index to hex colour
        Colours that were given; the others follow `class_color`.
    meaning : Meaning or None
        What the stored values of the job's masks mean, where its workers sent such masks.

    Examples
    --------
    >>> classes = Classes.of_labels(["cat", "dog"])
    >>> classes.names
    ('BACKGROUND', 'cat', 'dog')
    >>> classes.index("dog")
    2
    """

    names: tuple[str, ...]
    colors: Mapping[int, str] = field(default_factory=dict)
    meaning: Meaning | None = None

    @classmethod
    def of_labels(cls, labels: Sequence[str], background: bool = True) -> Classes:
        """Classes of label names, in their order; OptionError if they clash.

        They come after background; without background, the first is class 0, one like the others.
        """
        if not labels:
            raise OptionError("there are no labels")
        if len(labels) > MAX_CLASSES:
            raise OptionError(f"{len(labels)} labels; at most {MAX_CLASSES} fit an 8-bit mask")
        seen = set()
        for label in labels:
            if not isinstance(label, str) or not label.strip():
                raise OptionError(f"a label must be a text that is not empty, not {shown(label)}")
            if len(label) > Limits.label_length:
                raise OptionError(
                    f"label {shown(label)} has {len(label):,} characters, "
                    f"the limit is {Limits.label_length}"
                )
            if label in (BACKGROUND, UNDECIDED):
                raise OptionError(f"the label name {label} is reserved")
            if label in seen:
                raise OptionError(f"the label {shown(label)} is listed twice")
            seen.add(label)
        return cls((BACKGROUND, *labels) if background else tuple(labels))

    @property
    def has_background(self) -> bool:
        """Whether class 0 is background, rather than a class like the others."""
        return self.names[0] == BACKGROUND

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int | None:
        """Index of a label, None if it is not one of these."""
        try:
            return self.names.index(name)
        except ValueError:
            return None

    def hex_colors(self, preferred: Mapping[int, str] | None = None) -> tuple[str, ...]:
        """One colour a class, all different, background white.

        `preferred` (colours seen in answers) goes before colours given with the classes, and
        these before the default ones; a colour that is taken goes to the lower index.
        """
        chosen = [BACKGROUND_COLOR] if self.has_background else []
        taken = {BACKGROUND_COLOR}
        for index in range(len(chosen), len(self.names)):
            wishes = [(preferred or {}).get(index), self.colors.get(index), class_color(index)]
            spares = (class_color(spare) for spare in range(len(self.names), 1024))
            color = next(c for c in chain(wishes, spares) if c is not None and c not in taken)
            chosen.append(color)
            taken.add(color)
        return tuple(chosen)

    def undecided_color(self, colors: Iterable[str]) -> str:
        """Colour of undecided pixels: one that no class has."""
        taken = set(colors)
        return next(color for color in UNDECIDED_COLORS if color not in taken)


def palette(colors: Sequence[str], undecided_color: str | None = None) -> NDArray[np.uint8]:
    """Palette (256, 3) uint8 of hex colours by index, white beyond, as Ground Truth's masks."""
    table = np.full((256, 3), 255, np.uint8)
    for index, color in enumerate(colors):
        table[index] = parse_color(color) or (255, 255, 255)
    if undecided_color is not None:
        table[UNDECIDED_INDEX] = parse_color(undecided_color) or (255, 255, 255)
    return table

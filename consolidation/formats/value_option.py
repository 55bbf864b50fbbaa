"""The option `--values`: what stored values mean, said by hand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consolidation.errors import OptionError
from consolidation.masks.classes import is_background
from consolidation.text import shown

INSIST = "index"
"""Value of the option that says: whatever they look like, values are class indices."""
_ENTRY = re.compile(r"\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*=\s*(.*?)\s*")
_IGNORED = ("ignore", "ignored")


class ValueRange(NamedTuple):
    """Values from low to high, and the name of their class; None: they are ignored."""

    low: int
    high: int
    name: str | None


@dataclass(frozen=True)
class ValueOption:
    """What `--values` says.

    Attributes
    ----------
    insist : bool
        Values are class indices.
    ranges : tuple of ValueRange

    Examples
    --------
    >>> ValueOption.parse("0=background,128-255=cell").ranges[1]
    ValueRange(low=128, high=255, name='cell')
    """

    insist: bool = False
    ranges: tuple[ValueRange, ...] = ()

    @classmethod
    def parse(cls, text: str) -> ValueOption:
        """Read the option; OptionError if it is neither ``index`` nor a list of values."""
        if not text.strip():
            return cls()
        if text.strip() == INSIST:
            return cls(insist=True)
        ranges: list[ValueRange] = []
        for part in text.split(","):
            match = _ENTRY.fullmatch(part)
            name = match[3] if match else ""
            low = int(match[1]) if match else 0
            high = int(match[2] or low) if match else 0
            if not name or not low <= high <= 65535:
                raise OptionError(
                    f"--values must be index, or values and classes such as "
                    f"0=background,255=cell, not {shown(part)}"
                )
            for other in ranges:
                if low <= other.high and other.low <= high:
                    raise OptionError(f"--values says twice what {max(low, other.low)} means")
            ranges.append(ValueRange(low, high, None if name.casefold() in _IGNORED else name))
        return cls(ranges=tuple(ranges))

    @property
    def labels(self) -> list[str]:
        """Names of classes but background, in the order in which they are said."""
        names = [span.name for span in self.ranges if span.name and not is_background(span.name)]
        return list(dict.fromkeys(names))

    def indices(self, names: Sequence[str]) -> dict[int, int | None]:
        """Class index by value, None: ignored; OptionError for a name that is no class's."""
        indices: dict[int, int | None] = {}
        for span in self.ranges:
            index = None if span.name is None else _index(span.name, names)
            indices |= dict.fromkeys(range(span.low, span.high + 1), index)
        return indices


def _index(name: str, names: Sequence[str]) -> int:
    if name in names:
        return names.index(name)
    folded = [class_name.casefold() for class_name in names]
    if folded.count(name.casefold()) == 1:
        return folded.index(name.casefold())
    if is_background(name) and is_background(names[0]):
        return 0
    near = difflib.get_close_matches(name, names, 1)
    hint = f", the nearest is {shown(near[0])}" if near else f": {', '.join(map(shown, names[:5]))}"
    raise OptionError(f"--values names {shown(name)}, which is no class{hint}")

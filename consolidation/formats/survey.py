"""A look through the masks of a source: which values and colours they hold, and whose."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from consolidation import storage
from consolidation.errors import AnswerError, ConsolidationError
from consolidation.masks import hex_color
from consolidation.masks.meaning import VOID
from consolidation.masks.sight import RGBA, Sight, look
from consolidation.masks.stored import Stored, decode_stored, decoder_of

AT_ONCE = 48
"""Masks between two questions whether enough has been seen."""
THREADS = 4
SCALED_STEP, NEARLY_WHITE = 16, 240
"""Distance of grey levels that eyes tell apart, and where the last of evenly spaced ones lies."""
_GOLDEN = 0.6180339887498949


def is_scaled(values: Iterable[int]) -> bool:
    """Whether values are evenly spaced from black to white: indices scaled for the eye.

    Examples
    --------
    >>> is_scaled([0, 85, 170, 255]), is_scaled([0, 1, 2, 255])
    (True, False)
    """
    levels = sorted(values)
    steps = [high - low for low, high in pairwise(levels)]
    even = len(steps) >= 2 and max(steps) - min(steps) <= 1
    return even and steps[0] >= SCALED_STEP and NEARLY_WHITE <= levels[-1] <= 255


class Mask(NamedTuple):
    """A mask to look at: whose it is, what it is called, how it is read."""

    worker: str
    name: str
    load: Callable[[], Stored]
    """ConsolidationError if it cannot be read."""


def mask_file(worker: str, name: str, uri: str, max_pixels: int, max_bytes: int) -> Mask:
    """A picture's file to look at."""

    def load() -> Stored:
        data = storage.read_bytes(uri, max_bytes)
        decoder_of(data).check(data)
        return decode_stored(data, max_pixels)

    return Mask(worker, name, load)


@dataclass
class Survey:
    """What was seen of a source's masks.

    Attributes
    ----------
    by_color : bool
        Whether pictures in colour are read by their colours even where these are greys.
    trusted : bool
        Whether values count even where they look like no classes.
    total, looked : int
        Masks of the source, and those that were looked at.
    indexed, colored : int
        Masks that hold values, and those that hold colours only.
    unreadable, flawed : list of (str, str)
        Masks, and why they cannot be read, or are no masks.
    values : Counter
        Pixels by value, of masks that are such.
    by_worker : dict of str to set of int
        Values by worker.
    together : bool
        Whether any mask holds a void value beside a class.
    examples : dict of int to str
        A mask with that value.
    scaled : (str, tuple of int) or None
        A mask of values that look like indices scaled for the eye, and these.
    colors : Counter
        Pixels by colour, of masks of colours only.
    palettes : dict of int to (RGBA, str)
        Colour by value in the palettes, and a mask that has it.
    clash : str
        Which palettes contradict each other, if some do.
    """

    by_color: bool = False
    trusted: bool = False
    total: int = 0
    looked: int = 0
    indexed: int = 0
    colored: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    flawed: list[tuple[str, str]] = field(default_factory=list)
    values: Counter[int] = field(default_factory=Counter)
    by_worker: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    together: bool = False
    examples: dict[int, str] = field(default_factory=dict)
    scaled: tuple[str, tuple[int, ...]] | None = None
    colors: Counter[RGBA] = field(default_factory=Counter)
    colored_example: str = ""
    palettes: dict[int, tuple[RGBA, str]] = field(default_factory=dict)
    clash: str = ""

    @property
    def classes(self) -> set[int]:
        """Values but 0 and void ones."""
        return {value for value in self.values if value and value not in VOID}

    @property
    def void(self) -> set[int]:
        """Void values that were seen."""
        return {value for value in VOID if value in self.values}

    @property
    def is_black_and_white(self) -> bool:
        """Whether masks hold 0 and void values alone."""
        return bool(self.void) and not self.classes and 0 in self.values

    @property
    def whole(self) -> bool:
        """Whether all masks were looked at."""
        return self.looked == self.total

    def add(self, mask: Mask, seen: Sight | ConsolidationError) -> None:
        """Count what was seen of a mask."""
        self.looked += 1
        if isinstance(seen, ConsolidationError):
            # what cannot be read now may be read later: it says nothing of the masks
            if isinstance(seen, AnswerError):
                self.unreadable.append((mask.name, str(seen)))
            return
        if seen.flaw is not None and not self.trusted:
            self.flawed.append((mask.name, seen.flaw))
            return
        if not seen.values or (self.by_color and seen.colors):
            self.colored += 1
            self.colored_example = self.colored_example or mask.name
            self.colors.update(seen.colors)
            return
        self.indexed += 1
        self.values.update(seen.values)
        self.by_worker[mask.worker].update(seen.values)
        for value in seen.values:
            self.examples.setdefault(value, mask.name)
        if not self.scaled and is_scaled(seen.values):
            self.scaled = (mask.name, tuple(sorted(seen.values)))
        void = any(value in VOID for value in seen.values)
        self.together |= void and any(value and value not in VOID for value in seen.values)
        for value, color in seen.palette.items():
            known, name = self.palettes.setdefault(value, (color, mask.name))
            if known != color and not self.clash:
                self.clash = (
                    f"value {value} is {hex_color(known[:3])} in {name} and "
                    f"{hex_color(color[:3])} in {mask.name}"
                )


def look_through(
    masks: Sequence[Mask],
    by_color: bool = False,
    trusted: bool = False,
    enough: Callable[[Survey], bool] = lambda _: False,
) -> Survey:
    """Look at masks, spread over the source, until it is enough; at all if it never is."""
    survey = Survey(by_color, trusted, total=len(masks))
    order = sorted(range(len(masks)), key=lambda index: (index * _GOLDEN % 1, index))
    for start in range(0, len(order), AT_ONCE):
        some = [masks[index] for index in order[start : start + AT_ONCE]]
        for mask, seen in zip(some, _looks(some), strict=True):
            survey.add(mask, seen)
        if enough(survey):
            break
    return survey


def _looks(masks: Sequence[Mask]) -> Iterator[Sight | ConsolidationError]:
    def sight(mask: Mask) -> Sight | ConsolidationError:
        try:
            return look(mask.load())
        except ConsolidationError as error:
            return error

    threads = min(THREADS, os.cpu_count() or 1, len(masks))
    if threads < 2:
        yield from map(sight, masks)
        return
    # gone before the first object is consolidated: processes are forked where no thread is
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(sight, masks)

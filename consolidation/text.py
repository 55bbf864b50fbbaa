"""Text and numbers made safe to look at and to write down: they may come from strangers."""

from __future__ import annotations

import difflib
import itertools
import math
import re
import reprlib
from collections.abc import Iterable, Sequence

# what moves a terminal's cursor or colors it, or turns the direction of writing around
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
# controls, marks and overrides of direction, line separators, halves of characters
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Text with its invisible and direction-changing characters spelt out.

    Examples
    --------
    >>> visible("photo\u202egnp.exe")
    'photo\\u202egnp.exe'
    """
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def percent(share: float | None, digits: int = 0) -> str:
    """Share as percent; a dash where it is not known, and never 0 or 100 by rounding alone.

    Examples
    --------
    >>> percent(0.123), percent(0.001), percent(0.9999), percent(None)
    ('12 %', '<1 %', '>99 %', '—')
    """
    if share is None or math.isnan(share):
        return "—"
    least = 10.0**-digits
    if 0 < share * 100 < least:
        return f"<{least:g} %"
    if 100 - least < share * 100 < 100:
        return f">{100 - least:g} %"
    return f"{share * 100:.{digits}f} %"


def decimal(value: float | None) -> str:
    """Two digits; a dash where it is not known."""
    return "—" if value is None or math.isnan(value) else f"{value:.2f}"


def count(number: int, noun: str) -> str:
    """Number and noun.

    Examples
    --------
    >>> count(1, "image"), count(1200, "class")
    ('1 image', '1,200 classes')
    """
    plural = noun if number == 1 else noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {plural}"


def common_prefix(ids: Sequence[str]) -> str:
    """What all ids begin with, up to a full stop, slash, colon or underscore; empty without any.

    Examples
    --------
    >>> common_prefix(["private.us-east-1.ann", "private.us-east-1.bob"])
    'private.us-east-1.'
    >>> common_prefix(["ann"])
    ''
    """
    if len(ids) < 2:
        return ""
    # what the first and the last by order share, all share
    pairs = zip(min(ids), max(ids), strict=False)
    shared = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return shared[: max(shared.rfind(mark) for mark in "./:_") + 1]


def shown(value: object) -> str:
    """Value for a message: quoted, control characters escaped, cut short.

    Examples
    --------
    >>> shown("cat"), len(shown("x" * 10**6))
    ("'cat'", 80)
    """
    return _SHORT.repr(value)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of the names that may be meant by another spelling; None if none is near.

    Examples
    --------
    >>> nearest("Cat ", ["dog", "cat"]), nearest("bird", ["dog", "cat"])
    ('cat', None)
    """
    spelt = {spelling.strip().casefold(): spelling for spelling in names}
    near = difflib.get_close_matches(name.strip().casefold(), spelt, 1)
    return spelt[near[0]] if near else None


def printable(text: str, encoding: str | None = "utf-8") -> str:
    r"""Text for a terminal: what it would obey, or cannot show, is spelt out.

    Examples
    --------
    >>> printable("\x1b[2Jcat\ud800")
    '\\x1b[2Jcat\\ud800'
    """
    text = _COMMANDS.sub(lambda match: ascii(match[0])[1:-1], text)
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def rounded(value: float, digits: int = 6) -> float | None:
    """Number for JSON: None where it is not known (NaN), else so many digits after the point.

    Examples
    --------
    >>> rounded(0.12345678), rounded(float("nan"))
    (0.123457, None)
    """
    return None if math.isnan(value) else round(value, digits)

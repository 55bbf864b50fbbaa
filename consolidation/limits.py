"""How much input may hold before it is refused: what strangers send must not eat the machine."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass

MAX_WORKERS = 255
"""Votes of a pixel are counted in a byte."""


@dataclass(frozen=True)
class Limits:
    """Largest input that is read; each is an option of the same name with ``max_`` before it.

    Attributes
    ----------
    answer_bytes : int
        Of one worker's answer: the JSON text with its picture, or a mask's file.
    answers : int
        Of one object.
    objects : int
        Of one request file.
    label_length : int
        Characters of a label's name; Ground Truth allows 256.
    json_depth : int
        Lists and objects within one another; a worker's answer has 4.
    """

    answer_bytes: int = 50_000_000
    answers: int = MAX_WORKERS
    objects: int = 1_000_000
    label_length: int = 256
    json_depth: int = 64


DEFAULT_LIMITS = Limits()

# what moves a terminal's cursor or colors it, or turns the direction of writing around
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shown(value: object) -> str:
    """Value for a message: quoted, control characters escaped, cut short.

    Examples
    --------
    >>> shown("cat"), len(shown("x" * 10**6))
    ("'cat'", 80)
    """
    return _SHORT.repr(value)


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

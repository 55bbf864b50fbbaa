"""Large JSON files read piece by piece: entries of a list, lines, and the bytes they lie at.

A payload of a whole job does not fit the memory of a laptop. Its entries are parsed one after
another here, and read again by their place in the file when their turn comes.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from consolidation.errors import SourceError

WINDOW = 1 << 22
"""Bytes read at a time."""

Read = Callable[[int, int], bytes]
"""Bytes of a file from a place to before another; fewer only at its end, none behind it."""

_CUT = 16
"""Characters before a window's end that may look wrong only because what follows is not there."""
_KINDS = {"{": "object", '"': "text", "t": "truth value", "f": "truth value", "n": "null"}
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class NotJsonError(SourceError):
    """A file that should be JSON is not."""


class Span(NamedTuple):
    """Bytes of a file from `start` to before `end`."""

    start: int
    end: int


class _Text:
    """A file's text, of which only a window is kept, and the byte at which the window starts."""

    def __init__(self, read: Read) -> None:
        self._read, self._place, self._finished = read, 0, False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self.window, self.at = "", 0
        self.start, self._counted = 0, (0, 0)
        self.more()

    def more(self) -> bool:
        """Read on; whether there was more."""
        if self._finished:
            return False
        # a value longer than the window is parsed again: twice as much each time
        size = max(WINDOW, len(self.window))
        data = self._read(self._place, self._place + size)
        self._finished = len(data) < size
        self.start = self.byte(self.at)
        if self._place == 0 and data.startswith(codecs.BOM_UTF8):
            # the mark that editors on Windows write is in no text, but in the file
            self.start = len(codecs.BOM_UTF8)
        self._place += len(data)
        self._counted = (0, 0)
        more = self._decode(data, final=self._finished)
        self.window = self.window[self.at :] + more
        self.at = 0
        return bool(more)

    def byte(self, at: int) -> int:
        """Place in the file of a place in the window, not before the one asked for last."""
        counted, n_bytes = self._counted
        n_bytes += _n_bytes(self.window, counted, at)
        self._counted = (at, n_bytes)
        return self.start + n_bytes

    def skip_space(self) -> str:
        """Go to the next character that is no space and return it; nothing at the end."""
        while True:
            match = _SPACE.match(self.window, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.window):
                return self.window[self.at]
            if not self.more():
                return ""


def list_entries(read: Read, name: str) -> Iterator[tuple[Span, Any]]:
    """Entries of a file that is one JSON list, and where they lie; `name` is used in messages.

    Raises
    ------
    NotJsonError
        If the file is not JSON, at the byte where that shows.
    SourceError
        If it is no list.

    Examples
    --------
    >>> data = b'[{"a": 1}, 2]'
    >>> [(entry, data[span.start : span.end]) for span, entry in
    ...  list_entries(lambda start, end: data[start:end], "file.json")]
    [({'a': 1}, b'{"a": 1}'), (2, b'2')]
    """
    text = _Text(read)
    first = text.skip_space()
    if first != "[":
        if not text.more():
            # small enough to see whether it is JSON at all
            _value(text, name)
        raise SourceError(
            f"{name} is not a consolidation request: a JSON {_KINDS.get(first, 'number')}, "
            "not a list of objects"
        )
    text.at += 1
    if text.skip_space() == "]":
        return
    while True:
        text.skip_space()
        entry, length = _value(text, name)
        start = text.byte(text.at)
        text.at += length
        yield Span(start, text.byte(text.at)), entry
        del entry
        after = text.skip_space()
        text.at += 1
        if after == "]":
            break
        if after != ",":
            raise _not_json(name, "a comma or the list's end is missing", text.byte(text.at - 1))
    if text.skip_space():
        raise _not_json(name, "there is more after the list's end", text.byte(text.at))


def lines(read: Read) -> Iterator[Span]:
    """Places of the lines of a file that are not blank, without their line ends."""
    offset, rest, finished = 0, b"", False
    while not finished:
        size = max(WINDOW, len(rest))
        data = read(offset + len(rest), offset + len(rest) + size)
        finished = len(data) < size
        *whole, last = (rest + data).split(b"\n")
        for line in whole:
            if line.strip():
                yield Span(offset, offset + len(line))
            offset += len(line) + 1
        rest = last
    if rest.strip():
        yield Span(offset, offset + len(rest))


def _value(text: _Text, name: str) -> tuple[Any, int]:
    """JSON value at the window's place, and its length."""
    while True:
        try:
            value, end = _DECODER.raw_decode(text.window, text.at)
        except RecursionError:
            raise _not_json(name, "nested too deeply", text.byte(text.at)) from None
        except json.JSONDecodeError as error:
            beyond = error.pos - text.at
            # cut off by the window, or broken: then there is no need to read the rest
            cut = error.msg.startswith("Unterminated") or error.pos > len(text.window) - _CUT
            if cut and text.more():
                continue
            raise _not_json(name, error.msg, text.byte(text.at + beyond)) from None
        except ValueError as error:  # such as a number of thousands of digits
            raise _not_json(name, str(error), text.byte(text.at)) from None
        # a number may go on behind the window
        length = end - text.at
        if end <= len(text.window) - _CUT or not text.more():
            return value, length


def _not_json(name: str, reason: str, offset: int) -> NotJsonError:
    return NotJsonError(f"{name} is not JSON: {reason.removesuffix(' at')} at byte {offset:,}")


def _n_bytes(text: str, start: int, end: int) -> int:
    if text.isascii():  # known without looking
        return end - start
    return len(text[start:end].encode("utf-8", "surrogateescape"))

"""Large JSON read window by window: its values one after another, each parsed alone.

An export of a whole project may be larger than memory. A kernel finds where its values begin and
end; long lists of numbers, which run-length codes are, are not parsed as JSON at all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import SourceError
from consolidation.formats.groundtruth.spans import NotJsonError, Read, Span
from consolidation.kernels import json_text as kernels

WINDOW = 1 << 22
"""Bytes read at a time."""
MOST_BYTES = 1 << 30
"""Longest value: what is in no list or object of its own does not fit the memory."""
LONG_LIST = 64
"""Bytes from which on a list of whole numbers is taken out before the rest is parsed."""
_SPANS = 1 << 14


class JsonValue(NamedTuple):
    """A list or object in a file.

    Attributes
    ----------
    key : str
        Of depth 2: key of the list or object that it lies in; empty without one.
    span : Span
        Where it lies.
    data : bytes
    """

    key: str
    span: Span
    data: bytes


def json_values(
    read: Read, name: str, depth: int, keys: set[str] | None = None
) -> Iterator[JsonValue]:
    """Lists and objects at a depth of 1 or 2 in a JSON file, in its order.

    At depth 2, `keys` gets the keys of all that they might lie in, of empty ones too.

    Raises
    ------
    NotJsonError
        If the file ends within one.
    SourceError
        If one is longer than `MOST_BYTES`.

    Examples
    --------
    >>> data = b'{"images": [{"id": 1}], "info": {}, "annotations": [{"id": [2]}, 3]}'
    >>> [(one.key, one.data) for one in json_values(lambda a, b: data[a:b], "file.json", 2)]
    [('images', b'{"id": 1}'), ('annotations', b'{"id": [2]}')]
    """
    state = np.zeros(kernels.STATE, np.int64)
    spans = np.empty((_SPANS, 5), np.int64)
    held, start, offset, key = b"", 0, 0, ""
    # a value longer than a window is put together of ever longer ones
    while window := read(offset, offset + max(WINDOW, len(held))):
        held += window
        done, array = 0, np.frombuffer(window, np.uint8)
        while done < len(window):
            n, used = kernels.find_values(array[done:], offset + done, state, depth, spans)
            done += used
            if state[kernels.DEPTH] < 0:
                offset += done
                raise NotJsonError(f"{name} is not JSON: more ends than begins at byte {offset:,}")
            for begin, end, level, key_begin, key_end in spans[:n].tolist():
                if level < depth:
                    key = _text(read, key_begin, key_end)
                    if keys is not None:
                        keys.add(key)
                else:
                    yield JsonValue(key, Span(begin, end), held[begin - start : end - start])
        offset += len(window)
        # of a value that has begun, all is kept
        first = int(state[kernels.OPENED]) if state[kernels.DEPTH] > depth else offset
        held, start = held[first - start :], first
        if len(held) > MOST_BYTES:
            raise SourceError(
                f"{name}: a value of more than {MOST_BYTES:,} bytes at byte {first:,}"
            )
    if state[kernels.DEPTH] or state[kernels.IN_STRING]:
        raise NotJsonError(f"{name} is not JSON: cut off after {offset:,} bytes")


def _text(read: Read, begin: int, end: int) -> str:
    with contextlib.suppress(ValueError):
        text = json.loads(read(begin, end)) if begin < end else ""
        return text if isinstance(text, str) else ""
    return ""


class LongLists:
    """JSON without its long lists of whole numbers.

    Attributes
    ----------
    value : any
        Parsed JSON, in which a text such as ``"@3"`` stands for a long list.
    """

    def __init__(self, data: bytes) -> None:
        array = np.frombuffer(data, np.uint8)
        text = np.empty(len(data), np.uint8)
        self._lists: NDArray[np.int64] = np.empty((len(data) // LONG_LIST + 1, 2), np.int64)
        n, self._n = kernels.without_long_lists(array, LONG_LIST, text, self._lists)
        self._data = data
        self.value: Any = parse_json(text[:n].tobytes())

    def numbers(self, value: Any) -> Any:
        """Text of the long list that a value stands for, without brackets; else the value."""
        if isinstance(value, str) and value[:1] == "@" and value[1:].isdecimal():
            index = int(value[1:9])
            if index < self._n:
                begin, end = self._lists[index].tolist()
                return memoryview(self._data)[begin:end]
        return value


def parse_json(data: bytes) -> Any:
    """Parse JSON of any depth that is not walked by recursion; ValueError if it is none."""
    with contextlib.suppress(ImportError, ValueError):
        import orjson

        return orjson.loads(data)
    try:
        # the standard library has the last word: it takes NaN and lone surrogates
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None

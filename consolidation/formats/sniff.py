"""What a file is, by how it begins: never by its ending alone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from consolidation import storage
from consolidation.errors import ConsolidationError
from consolidation.formats.place import Place

FIRST_LOOK, SECOND_LOOK = 1 << 16, 1 << 22
"""Bytes of a file that are looked at; the second where the first tells nothing."""
MOST_FILES = 8
"""Files of a folder that are looked at, of each ending."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,"]', re.DOTALL)
_DEEPEST = 4


@dataclass(frozen=True)
class JsonBeginning:
    """Keys of a JSON file, as far as was looked.

    Attributes
    ----------
    top : str
        ``[`` or ``{``; empty if it is neither.
    paths : frozenset of str
        Such as ``annotations[].image_id``; of a list ``[].id``.
    """

    top: str
    paths: frozenset[str]

    def has(self, *paths: str) -> bool:
        """Whether all of these are there."""
        return self.paths.issuperset(paths)


def json_beginning(data: bytes) -> JsonBeginning:
    """Keys at the beginning of a JSON file that may be cut off anywhere.

    Examples
    --------
    >>> begin = json_beginning(b'[{"id": 1, "annotations": [{"result": [{"va')
    >>> begin.top, sorted(begin.paths)
    ('[', ['[].annotations', '[].annotations[].result', '[].id'])
    """
    data = data.removeprefix(codecs.BOM_UTF8).lstrip()
    top = data[:1].decode("ascii", "replace") if data[:1] in (b"[", b"{") else ""
    paths: set[str] = set()
    # each level: what its values are called; text: the last one, a key if a colon follows
    levels: list[str] = []
    key, text = "", ""
    for match in _TOKEN.finditer(data) if top else ():
        token = match[0]
        if token == b":":
            key = text
            if levels and len(levels) <= _DEEPEST:
                paths.add(f"{levels[-1]}.{key}".lstrip("."))
        elif token in (b"[", b"{"):
            outer = levels[-1] if levels else ""
            inner = f"{outer}.{key}".lstrip(".") if key else outer
            levels.append(inner + ("[]" if token == b"[" else ""))
            key = ""
        elif token in (b"]", b"}"):
            if levels:
                levels.pop()
            key = ""
        elif token == b",":
            key = ""
        elif token == b'"':
            # a text that is cut off
            break
        else:
            text = token[1:-1].decode("utf-8", "replace")
    return JsonBeginning(top, frozenset(paths))


@dataclass(frozen=True)
class FileBeginning:
    """How a file begins, read when it is asked for."""

    uri: str

    @cached_property
    def data(self) -> bytes:
        """Its first bytes; none if it cannot be read, which is told by who opens it."""
        try:
            return storage.read_range(self.uri, 0, FIRST_LOOK)
        except ConsolidationError:
            return b""

    @cached_property
    def json(self) -> JsonBeginning:
        """Keys, if it is JSON."""
        return json_beginning(self.data)

    @cached_property
    def more_json(self) -> JsonBeginning:
        """Keys, after a longer look: the first value may be a long one."""
        if len(self.data) < FIRST_LOOK or not self.json.top:
            return self.json
        return json_beginning(storage.read_range(self.uri, 0, SECOND_LOOK))

    @property
    def xml_root(self) -> str:
        """Name of the outermost element, if it is XML."""
        text = self.data.removeprefix(codecs.BOM_UTF8).lstrip()
        match = re.search(rb"<([A-Za-z_][\w.-]*)", text) if text[:1] == b"<" else None
        return match[1].decode("ascii", "replace") if match else ""


def beginning(place: Place, name: str) -> FileBeginning:
    """Beginning of a file, looked at once for all formats that may ask."""
    uri = place.uri if place.entries is None else place.below(name)
    start: FileBeginning = place.beginnings.setdefault(uri, FileBeginning(uri))
    return start


def named(place: Place, *endings: str) -> list[str]:
    """Names of the files with these endings: the place itself, or those below it.

    Hidden files and those that systems leave in archives are none.
    """
    if place.entries is None:
        name = place.uri.replace("\\", "/").rpartition("/")[2]
        return [name] if name.lower().endswith(endings) else []
    return [
        one.name
        for one in place.entries
        if one.name.lower().endswith(endings) and not is_hidden(one.name)
    ]


def is_hidden(name: str) -> bool:
    """Whether any part of a name begins with a dot, or belongs to an archive of macOS."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def first_files(place: Place, *endings: str) -> Iterable[FileBeginning]:
    """Beginnings of some files with these endings, spread over all of them."""
    names = named(place, *endings)
    step = max(1, len(names) // MOST_FILES)
    return [beginning(place, name) for name in names[::step][:MOST_FILES]]

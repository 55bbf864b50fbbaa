"""What a file is, by how it begins: never by its ending alone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from consolidation import storage
from consolidation.errors import ConsolidationError
from consolidation.formats.files import File, members
from consolidation.formats.place import Place

T = TypeVar("T")
FIRST_LOOK, SECOND_LOOK = 1 << 16, 1 << 20
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

    file: File

    @cached_property
    def data(self) -> bytes:
        """Its first bytes; none if it cannot be read, which is told by who opens it."""
        try:
            return self.file.beginning(FIRST_LOOK)
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
        return json_beginning(self.file.beginning(SECOND_LOOK))

    def tells(self, what: Callable[[JsonBeginning], T]) -> T:
        """What some function makes of the keys; after a longer look if it makes nothing of them."""
        return what(self.json) or what(self.more_json)

    @property
    def xml_root(self) -> str:
        """Name of the outermost element, if it is XML."""
        text = self.data.removeprefix(codecs.BOM_UTF8).lstrip()
        match = re.search(rb"<([A-Za-z_][\w.-]*)", text) if text[:1] == b"<" else None
        return match[1].decode("ascii", "replace") if match else ""


def beginning(place: Place, file: File) -> FileBeginning:
    """Beginning of a file, looked at once for all formats that may ask."""
    start: FileBeginning = place.beginnings.setdefault(file, FileBeginning(file))
    return start


def files(place: Place, *endings: str) -> list[tuple[str, File]]:
    """Files with these endings, and those in zip archives, by name of the file or archive.

    With an ending of ``""``, files whose names have none.
    """
    matches = []
    for name in named(place, *filter(None, endings), ".zip"):
        uri = place.uri if place.entries is None else place.below(name)
        if not name.lower().endswith(".zip"):
            matches.append((name, File(uri)))
        elif storage.read_range(uri, 0, 4) == b"PK\x03\x04":
            matches += [
                (name, File(uri, member))
                for member in members(uri)
                if member.lower().endswith(tuple(filter(None, endings))) and not is_hidden(member)
            ]
    if "" in endings:
        bare = [
            entry.name for entry in place.entries or () if "." not in entry.name.rpartition("/")[2]
        ]
        matches += [(name, File(place.below(name))) for name in bare]
    return matches


def named(place: Place, *endings: str) -> list[str]:
    """Names of the files with these endings: the place itself, or those below it.

    Hidden files and those that systems leave in archives are none.
    """
    if place.entries is None:
        name = place.uri.replace("\\", "/").rpartition("/")[2]
        return [name] if name.lower().endswith(endings) else []
    return [
        entry.name
        for entry in place.entries
        if entry.name.lower().endswith(endings) and not is_hidden(entry.name)
    ]


_ASIDE = frozenset(("__macosx", "@eadir", "thumbs", "thumbnails", "thumb"))
"""Folders that programs leave beside pictures, with smaller ones in them or none."""


def is_hidden(name: str) -> bool:
    """Whether any part of a name begins with a dot, or is a folder that programs leave.

    Examples
    --------
    >>> is_hidden("a/._1.png"), is_hidden("Thumbs/1.png"), is_hidden("a/1.png")
    (True, True, False)
    """
    return any(part.startswith(".") or part.casefold() in _ASIDE for part in name.split("/"))


def first_files(place: Place, *endings: str) -> Iterable[FileBeginning]:
    """Beginnings of some files with these endings, spread over all of them."""
    listed = files(place, *endings)
    step = max(1, len(listed) // MOST_FILES)
    return [beginning(place, file) for _, file in listed[::step][:MOST_FILES]]

"""A job's input manifest: lines that are read when they are needed."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from consolidation import storage
from consolidation.errors import ObjectError, SourceError
from consolidation.groundtruth import Span
from consolidation.jobs.lines import LineFile
from consolidation.jobs.sources.place import Place


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """Where a line lies: small, and the same in another process."""

    uri: str
    number: int
    span: Span

    def content(self) -> dict[str, Any]:
        """Read it; ObjectError if it is no JSON object."""
        data = storage.read_range(self.uri, *self.span)
        return _content(data, f"line {self.number + 1} of {self.uri}")


class ManifestFile:
    """A manifest, of which only the places of its lines are kept."""

    def __init__(self, uri: str | Path) -> None:
        self.uri = str(uri)
        self._lines = LineFile(uri)
        if not len(self):
            raise SourceError(f"{uri} is empty: a manifest has a line an object")

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, number: int) -> ManifestLine:
        """Return the line of this number, from 0."""
        return ManifestLine(self.uri, number, self._lines.span(number))

    def raw(self, number: int) -> bytes:
        """Return the line as it is, without line end."""
        return self._lines.read(number).removeprefix(codecs.BOM_UTF8).rstrip(b"\r")

    def content(self, number: int) -> dict[str, Any]:
        """As `ManifestLine.content`; cheap where lines are read in order."""
        return _content(self._lines.read(number), f"line {number + 1} of {self.uri}")

    def find(self, ids: Iterable[str]) -> dict[str, int]:
        """Number of each object's line, where it has one; never one line for two objects.

        Ground Truth's ids are line numbers. In a streaming job the id stands in the line itself,
        under a key chosen by who sent it, or one that ends with ``-object-id``.
        """
        found: dict[str, int] = {}
        others = set()
        for one in ids:
            # "7" and "07" are two objects, of which only one can be line 7
            if one.isascii() and one.isdecimal() and len(one) < 10 and one == str(int(one)):
                if int(one) < len(self):
                    found[one] = int(one)
            else:
                others.add(one)
        if others:
            taken = set(found.values())
            found |= {
                one: number for one, number in self._saying(others).items() if number not in taken
            }
        return found

    def lines_of(self, ids: Iterable[str]) -> dict[str, ManifestLine]:
        """As `find`."""
        return {one: self.line(number) for one, number in self.find(ids).items()}

    def _saying(self, wanted: Container[str]) -> dict[str, int]:
        """Line of each text that is the value of a key in this line only."""
        found: dict[str, int] = {}
        seen: Counter[str] = Counter()
        for number in range(len(self)):
            try:
                content = self.content(number)
            except ObjectError:
                continue
            said = {one for one in content.values() if isinstance(one, str) and one in wanted}
            seen.update(said)
            if len(said) == 1:
                found[said.pop()] = number
        return {text: number for text, number in found.items() if seen[text] == 1}

    def by_picture(self) -> Mapping[str, int]:
        """Line by the name of its picture without folder and ending, where only one has it."""
        stems: dict[str, int] = {}
        seen: Counter[str] = Counter()
        for number in range(len(self)):
            try:
                picture = self.content(number).get("source-ref")
            except ObjectError as error:
                raise SourceError(str(error)) from None
            if isinstance(picture, str):
                stem = PurePosixPath(picture).stem
                stems[stem] = number
                seen[stem] += 1
        return {stem: number for stem, number in stems.items() if seen[stem] == 1}

    def stamp(self) -> str:
        """Text that changes when the file does."""
        return Place(self.uri).stamp()


def _content(data: bytes, name: str) -> dict[str, Any]:
    try:
        text = data.decode("utf-8-sig", "surrogateescape")
        content = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ObjectError(f"{name} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ObjectError(f"{name} is not a JSON object")
    return content


def _refuse(constant: str) -> NoReturn:
    """NaN and Infinity are not JSON, and could not be written again."""
    raise ValueError(f"{constant} is no number")

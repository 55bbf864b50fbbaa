"""A job's input manifest: lines that are read when they are needed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from consolidation import storage
from consolidation.errors import ObjectError, SourceError
from consolidation.groundtruth import Span, lines, load_json
from consolidation.jobs.sources.place import Place


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """Where a line lies."""

    uri: str
    number: int
    span: Span

    def text(self) -> str:
        """The line as it is."""
        data = storage.read_range(self.uri, *self.span)
        return data.decode("utf-8", "surrogateescape").strip("\ufeff\r")

    def read(self) -> dict[str, Any]:
        """Return the line's content; ObjectError if it is no JSON object."""
        try:
            content = load_json(self.text())
        except ValueError as error:
            raise ObjectError(
                f"line {self.number + 1} of {self.uri} is not JSON: {error}"
            ) from None
        if not isinstance(content, dict):
            raise ObjectError(f"line {self.number + 1} of {self.uri} is not a JSON object")
        return content


class ManifestFile:
    """A manifest, of which only the places of its lines are kept."""

    def __init__(self, uri: str | Path) -> None:
        self.uri = str(uri)
        self._starts, self._ends = array("Q"), array("Q")
        for span in lines(lambda start, end: storage.read_range(self.uri, start, end)):
            self._starts.append(span.start)
            self._ends.append(span.end)
        if not self._starts:
            raise SourceError(f"{uri} is empty: a manifest has a line an object")

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, number: int) -> ManifestLine:
        """Return the line of this number, from 0."""
        return ManifestLine(self.uri, number, Span(self._starts[number], self._ends[number]))

    def number(self, object_id: str) -> int | None:
        """Line of an object whose id is a line number, as Ground Truth's are; None beyond."""
        if not (object_id.isascii() and object_id.isdecimal() and len(object_id) < 10):
            return None
        number = int(object_id)
        return number if number < len(self) else None

    def by_picture(self) -> Mapping[str, int]:
        """Line by the name of its picture without folder and ending, where only one has it."""
        stems: dict[str, int] = {}
        seen: Counter[str] = Counter()
        for number in range(len(self)):
            try:
                picture = self.line(number).read().get("source-ref")
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

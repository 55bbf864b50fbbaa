"""A job's input manifest: lines that are read when they are needed."""

from __future__ import annotations

import codecs
import contextlib
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from consolidation import storage
from consolidation.errors import ObjectError, SourceError
from consolidation.formats.groundtruth import Span, load_json
from consolidation.formats.lines import LineFile
from consolidation.formats.place import Place
from consolidation.text import shown


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
        numbers: dict[str, int] = {}
        others = set()
        for name in ids:
            # "7" and "07" are two objects, of which only one can be line 7
            if name.isascii() and name.isdecimal() and len(name) < 10 and name == str(int(name)):
                if int(name) < len(self):
                    numbers[name] = int(name)
            else:
                others.add(name)
        if others:
            taken = set(numbers.values())
            numbers |= {
                name: number for name, number in self._saying(others).items() if number not in taken
            }
        return numbers

    def lines_of(self, pictures: Mapping[str, str | None]) -> dict[str, ManifestLine]:
        """Line of each object as by `find`, from the objects' pictures by id, None: not known.

        Raises
        ------
        SourceError
            If a line is about a picture of another name: then this is another job's manifest.
        """
        numbers = self.find(pictures)
        for object_id, number in numbers.items():
            expected = pictures[object_id]
            listed = None if expected is None else self._picture(number)
            if expected and listed and PurePosixPath(expected).name != PurePosixPath(listed).name:
                raise SourceError(
                    f"{self.uri} is not the manifest of these objects: its line {number + 1} is "
                    f"about {shown(listed)}, object {shown(object_id)} about {shown(expected)}"
                )
        return {object_id: self.line(number) for object_id, number in numbers.items()}

    def _saying(self, wanted: Container[str]) -> dict[str, int]:
        """Line of each text that is the value of a key in this line only."""
        numbers: dict[str, int] = {}
        seen: Counter[str] = Counter()
        for number in range(len(self)):
            try:
                content = self.content(number)
            except ObjectError:
                continue
            said = {
                value for value in content.values() if isinstance(value, str) and value in wanted
            }
            seen.update(said)
            if len(said) == 1:
                numbers[said.pop()] = number
        return {text: number for text, number in numbers.items() if seen[text] == 1}

    def by_picture(self) -> Mapping[str, int]:
        """Line by the name of its picture without folder and ending, where only one has it."""
        stems: dict[str, int] = {}
        seen: Counter[str] = Counter()
        for number in range(len(self)):
            picture = self._picture(number)
            if picture is not None:
                stem = PurePosixPath(picture).stem
                stems[stem] = number
                seen[stem] += 1
        return {stem: number for stem, number in stems.items() if seen[stem] == 1}

    def _picture(self, number: int) -> str | None:
        """URI of the line's picture; None if it names none, or cannot be read."""
        with contextlib.suppress(ObjectError):
            picture = self.content(number).get("source-ref")
            return picture if isinstance(picture, str) else None
        return None

    def stamp(self) -> str:
        """Text that changes when the file does."""
        return Place(self.uri).stamp()


def lines_of_images(
    manifest: ManifestFile, images: Iterable[str], uri: str
) -> dict[str, ManifestLine]:
    """Line of each image: by the picture's name, or by number where no name is an image's.

    Raises
    ------
    SourceError
        If no line is about an image of the source at `uri`.
    """
    ids = list(images)
    pictures = manifest.by_picture()
    numbers = {image: pictures[image] for image in ids if image in pictures}
    # where some are found by name, a number is a name too: one that is not in the manifest
    numbers = numbers or manifest.find(ids)
    if not numbers:
        raise SourceError(
            f"{manifest.uri}: no line of it is about an image in {uri}: "
            "neither by the name of its picture nor by number"
        )
    return {image: manifest.line(number) for image, number in numbers.items()}


def _content(data: bytes, name: str) -> dict[str, Any]:
    try:
        content = load_json(data.decode("utf-8-sig", "surrogateescape"), exact=True)
    except ValueError as error:
        raise ObjectError(f"{name} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ObjectError(f"{name} is not a JSON object")
    return content

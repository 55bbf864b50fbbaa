"""XML from strangers, element by element: no document types, no entities, nothing outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from consolidation.errors import SourceError
from consolidation.formats.groundtruth.spans import Span

Begin = Callable[[tuple[str, ...], Mapping[str, str]], None]
"""Called with the names of an element and of those that it lies in, and its attributes."""
End = Callable[[tuple[str, ...], str, Span], None]
"""Called when it ends, with its text and the bytes that it lies at."""


def walk(windows: Iterable[bytes], name: str, begin: Begin, end: End) -> str:
    """Go through an XML file of any size; return its encoding.

    Raises
    ------
    SourceError
        If it is not XML, or has a document type: with one come entities, which may make a small
        file eat all memory, or read others.
    """
    parser = expat.ParserCreate()
    names: list[str] = []
    starts: list[int] = []
    texts: list[list[str]] = []
    encoding = ["utf-8"]

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        names.append(tag)
        starts.append(parser.CurrentByteIndex)
        texts.append([])
        begin(tuple(names), attributes)

    def on_end(tag: str) -> None:
        # the index is that of the end tag, whose end is not told
        span = Span(starts.pop(), parser.CurrentByteIndex)
        end(tuple(names), "".join(texts.pop()).strip(), span)
        names.pop()

    def on_text(text: str) -> None:
        if texts and len(texts[-1]) < 4096:
            texts[-1].append(text)

    def on_doctype(*_: Any) -> NoReturn:
        raise SourceError(f"{name}: XML with a document type is not read")

    def on_declaration(version: str, declared: str | None, standalone: int) -> None:
        encoding[0] = declared or encoding[0]

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = on_text
    parser.StartDoctypeDeclHandler = on_doctype
    parser.XmlDeclHandler = on_declaration
    try:
        for data in windows:
            parser.Parse(data, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise SourceError(f"{name} is not XML: {error}") from None
    except (ValueError, LookupError) as error:  # such as an encoding that nobody knows
        raise SourceError(f"{name} is not XML: {error}") from None
    return encoding[0]


def parse_element(data: bytes, encoding: str, name: str) -> ElementTree.Element:
    """Element of some bytes of a file that `walk` went through; SourceError if it is none."""
    parser = ElementTree.XMLParser(encoding=encoding)
    try:
        parser.feed(data)
        element: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SourceError(f"{name} is not XML: {error}") from None
    return element

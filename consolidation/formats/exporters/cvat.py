"""CVAT: an XML with a mask for each class of an image, to be uploaded as "CVAT 1.1"."""

from __future__ import annotations

import re
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from consolidation import storage
from consolidation.errors import ConsolidationError
from consolidation.formats.exporters.exporter import IGNORED, Export, Exporter, Image
from consolidation.formats.rle_writing import whole
from consolidation.text import shown

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Cvat(Exporter):
    """``annotations.xml``, with the names of the pictures as the task has them."""

    name = "cvat"
    kind = "CVAT for images 1.1"
    pictures = "leave"
    splits = False

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        classes = export.classes
        labels = "".join(
            f"<label><name>{_text(classes.names[index])}</name>"
            f"<color>{classes.colors[index]}</color><type>mask</type></label>\n"
            for index in classes.painted
        )
        self._n, self._ignored = 0, 0
        self._file: IO[bytes] = self.open("annotations.xml")
        self._write(
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
            f"<meta><task><name>consensus</name><labels>\n{labels}</labels></task></meta>\n"
        )

    def _write(self, text: str) -> None:
        self._file.write(text.encode())

    def add(self, image: Image) -> None:
        """Write an image's masks."""
        self._ignored += int((image.mask == IGNORED).sum())
        height, width = image.size
        name = image.told
        if storage.is_s3(name):
            name = name.split("/", 3)[-1]
        self._write(
            f'<image id="{self._n}" name={_attribute(name)} width="{width}" height="{height}">\n'
        )
        self._n += 1
        for index in self.export.classes.painted:
            shape = whole(image.mask == index)
            if shape is None:
                continue
            top, left, bottom, right = shape.box
            lengths = shape.lengths(top, left, bottom - top, right - left)
            rle = ", ".join(map(str, lengths.tolist()))
            self._write(
                f"<mask label={_attribute(self.export.classes.names[index])} "
                f'source="auto" occluded="0" rle="{rle}" left="{left}" top="{top}" '
                f'width="{right - left}" height="{bottom - top}" z_order="0"></mask>\n'
            )
        self._write("</image>\n")

    def finish(self) -> list[str]:
        """End the file; say what became of ignored pixels."""
        self._write("</annotations>\n")
        if not self._ignored:
            return []
        return [f"{self._ignored:,} ignored pixels are unpainted, as background is"]


def _text(text: str) -> str:
    """Text between tags; ConsolidationError if XML cannot hold it."""
    if _NOT_XML.search(text):
        raise ConsolidationError(f"{shown(text)} holds a character that XML cannot")
    return escape(text)


def _attribute(text: str) -> str:
    _text(text)
    return quoteattr(text, {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})

"""How other people's libraries read a file: one that can be sought in, without their log."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
from collections.abc import Iterator
from typing import Any

from consolidation.errors import SourceError
from consolidation.formats.files import File


class SeekableFile(io.RawIOBase):
    """A `File` as libraries want it."""

    def __init__(self, file: File) -> None:
        self._file, self._place = file, 0
        self._size = file.size()

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        view = memoryview(buffer).cast("B")
        data = self._file.read(self._place, self._place + len(view))
        view[: len(data)] = data
        self._place += len(data)
        return len(data)


@contextlib.contextmanager
def quiet(name: str) -> Iterator[None]:
    """Keep a library from logging what we say ourselves."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def library(name: str, file: File) -> Any:
    """Library of the extra `formats`; SourceError if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise SourceError(
            f"{file} is read by {name}, which is not there: pip install 'consolidation[formats]'"
        ) from None

"""A file of JSON with one long list in it, written entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from consolidation.formats.groundtruth import compact


class JsonList:
    """An open file: its beginning, then entries, then what `end` adds.

    Parameters
    ----------
    file : binary file
    begin, close : str
        What stands before the entries and behind them.
    """

    def __init__(self, file: IO[bytes], begin: str, close: str) -> None:
        self._file, self._close, self._separator = file, close, "\n"
        self._write(begin)

    def _write(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "backslashreplace"))

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write an entry, on a line of its own."""
        self._write(f"{self._separator}{compact(entry)}")
        self._separator = ",\n"

    def end(self, others: Mapping[str, Any] | None = None) -> None:
        """Write the end: of the list, or of an object with other keys."""
        self._write(f"\n{self._close}")
        if others is not None:
            self._write("".join(f',\n"{key}":{compact(value)}' for key, value in others.items()))
            self._write("}")
        self._write("\n")

"""A file of lines, of which only the places are kept in memory."""

from __future__ import annotations

from array import array
from pathlib import Path

from consolidation import storage
from consolidation.formats.groundtruth import Span, lines
from consolidation.formats.groundtruth.spans import WINDOW


class LineFile:
    """Lines that are not blank, by number from 0, without their line ends.

    Read in order, they cost one reading of the file: a piece of it is kept.

    Parameters
    ----------
    uri : str or Path
    """

    def __init__(self, uri: str | Path) -> None:
        self.uri = str(uri)
        self._starts, self._ends = array("Q"), array("Q")
        self._kept, self._kept_from = b"", 0
        for span in lines(lambda start, end: storage.read_range(self.uri, start, end)):
            self._starts.append(span.start)
            self._ends.append(span.end)

    def __len__(self) -> int:
        return len(self._starts)

    def span(self, number: int) -> Span:
        """Where the line lies."""
        return Span(self._starts[number], self._ends[number])

    def read(self, number: int) -> bytes:
        """Return the line."""
        start, end = self.span(number)
        if start < self._kept_from or end > self._kept_from + len(self._kept):
            self._kept = storage.read_range(self.uri, start, max(end, start + WINDOW))
            self._kept_from = start
        return self._kept[start - self._kept_from : end - self._kept_from]

"""The images of a job that are most in need of review, found while they come in."""

from __future__ import annotations

import bisect
import math


class Shortlist:
    """The first `size` images by need of review, then by id.

    Examples
    --------
    >>> shortlist = Shortlist(2)
    >>> for one, need in (("a", 0.1), ("b", 0.9), ("c", 0.5)):
    ...     shortlist.add(one, need)
    >>> shortlist.ids, shortlist.least
    (['b', 'c'], 0.5)
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[tuple[float, str]] = []

    def add(self, object_id: str, need: float) -> None:
        """Consider an image; twice is once."""
        row = (-need, object_id)
        position = bisect.bisect_left(self._rows, row)
        if self._rows[position : position + 1] != [row]:
            self._rows.insert(position, row)
        del self._rows[self._size :]

    @property
    def least(self) -> float:
        """Need below which no further image gets in."""
        if len(self._rows) < self._size:
            return 0.0
        return -self._rows[-1][0] if self._rows else math.inf

    @property
    def ids(self) -> list[str]:
        """Their ids, most in need first."""
        return [object_id for _, object_id in self._rows]

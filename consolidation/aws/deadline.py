"""How much time an invocation has left, and how much an object will need."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import Any

from consolidation.errors import ConsolidationError

SHARE_KEPT, LEAST_KEPT, MOST_KEPT = 0.05, 1.0, 15.0
"""Share of the time, and seconds, kept for writing down what is left undone, and for answering."""
SLOWER = 1.5
"""An object may take this many times as long as its size lets expect."""
LEAST_PACE = 20e-9
"""Seconds a pixel of an answer: what is expected at first, and at least. Two cores of a server take
5e-9 for plain pictures and 16e-9 for noisy ones; a Lambda's may be half as quick."""
FIRST_PIXELS = 100_000_000
"""Pixels that `LEAST_PACE` counts as, so that what a start costs tells little."""
LEAST_PIXELS = 1 << 20
"""An object of fewer counts as so many: what it takes has little to do with its size."""


class OutOfTimeError(ConsolidationError):
    """The deadline is too near."""


class Pace:
    """How long objects take for their size, learnt from those that were done.

    A large object may come after a thousand small ones, so the size tells, not the slowest so far:
    pixels, those of all answers together, for decoding and voting look at each. (Bytes say little:
    the same picture may be a thousand times as large in another PNG.)
    """

    def __init__(self) -> None:
        self._pixels, self._seconds = FIRST_PIXELS, FIRST_PIXELS * LEAST_PACE

    def add(self, pixels: int, seconds: float) -> None:
        """Learn from an object that was done."""
        self._pixels += max(pixels, LEAST_PIXELS)
        self._seconds += seconds

    def seconds(self, pixels: int) -> float:
        """Seconds that an object may take.

        Examples
        --------
        >>> pace = Pace()
        >>> round(pace.seconds(9 * 10_000 * 10_000), 1)
        27.0
        >>> for _ in range(100):
        ...     pace.add(pixels=10, seconds=0.01)
        >>> round(pace.seconds(9 * 10_000 * 10_000), 1)
        27.0
        """
        rate = max(self._seconds / self._pixels, LEAST_PACE)
        return SLOWER * rate * max(pixels, LEAST_PIXELS)


_pace = Pace()
"""Of this process, over all its invocations."""


class Deadline:
    """When an invocation ends, by the clock of its context.

    Parameters
    ----------
    context : Lambda context
        Only its ``get_remaining_time_in_millis()`` is used.
    pace : Pace, optional
        By default that of the process.
    """

    def __init__(self, context: Any, pace: Pace = _pace) -> None:
        self._context, self.pace = context, pace
        self.total = self.remaining()
        """Seconds at the start."""
        self.kept = min(max(SHARE_KEPT * self.total, LEAST_KEPT), MOST_KEPT)

    def remaining(self) -> float:
        """Seconds until the invocation is killed."""
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def left(self) -> float:
        """Seconds that may be spent on objects; never negative."""
        return max(self.remaining() - self.kept, 0.0)

    def check(self, pixels: int = 0) -> None:
        """OutOfTimeError if an object might not be done in time; pixels are those of all answers.

        Without pixels: whether it is worth while to find out how large the next object is.
        """
        remaining, needed = self.remaining(), self.pace.seconds(pixels)
        if remaining - self.kept <= needed:
            size = f", and {pixels:,} pixels of answers may take {needed:.1f} s" if pixels else ""
            raise OutOfTimeError(f"too little time: {remaining:.1f} s before the deadline{size}")

    def last(self, futures: Sequence[Future[Any]]) -> int:
        """Wait for what is done last, for half of what time there is; how many did not succeed."""
        done, late = wait(futures, self.remaining() / 2)
        return len(late) + sum(future.exception() is not None for future in done)

    def wait(self, future: Future[Any], what: str) -> Any:
        """Result of a future; OutOfTimeError if it is not there in time."""
        try:
            return future.result(self.left())
        except TimeoutError:
            raise OutOfTimeError(f"{what} took until the deadline") from None

"""How much time an invocation has left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import Any

from consolidation.errors import ConsolidationError

SHARE_KEPT, LEAST_KEPT, MOST_KEPT = 0.05, 1.0, 15.0
"""Share of the time, and seconds, kept for writing down what is left undone, and for answering."""
SLOWER = 1.5
"""The next object may take this many times as long as the slowest so far."""


class OutOfTimeError(ConsolidationError):
    """The deadline is too near."""


class Deadline:
    """When an invocation ends, by the clock of its context.

    Parameters
    ----------
    context : Lambda context
        Only its ``get_remaining_time_in_millis()`` is used.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self.total = self.remaining()
        """Seconds at the start."""
        self.kept = min(max(SHARE_KEPT * self.total, LEAST_KEPT), MOST_KEPT)
        self._slowest = 0.0

    def remaining(self) -> float:
        """Seconds until the invocation is killed."""
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def left(self) -> float:
        """Seconds that may be spent on objects; never negative."""
        return max(self.remaining() - self.kept, 0.0)

    def check(self) -> None:
        """OutOfTimeError if another object might not be done in time."""
        if self.left() <= SLOWER * self._slowest:
            raise OutOfTimeError(f"too little time: {self.remaining():.1f} s before the deadline")

    def took(self, started: float) -> float:
        """Seconds since `started`, by `time.perf_counter`, which an object took."""
        seconds = time.perf_counter() - started
        self._slowest = max(self._slowest, seconds)
        return seconds

    def last(self, futures: Sequence[Future[Any]]) -> int:
        """Wait for what is done last, for half of what time there is; how many did not succeed."""
        done, late = wait(futures, self.remaining() / 2)
        return len(late) + sum(one.exception() is not None for one in done)

    def wait(self, future: Future[Any], what: str) -> Any:
        """Result of a future; OutOfTimeError if it is not there in time."""
        try:
            return future.result(self.left())
        except TimeoutError:
            raise OutOfTimeError(f"{what} took until the deadline") from None

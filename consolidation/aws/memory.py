"""Memory for masks: kept from one invocation to the next, and given while there is time."""

from __future__ import annotations

import math
import threading
from typing import Any

from numpy.typing import DTypeLike, NDArray

from consolidation.aws.deadline import Deadline
from consolidation.objects.prepare import MaskBuffer


class _Kept(threading.local):
    """Each thread has its own."""

    def __init__(self) -> None:
        self.buffer = MaskBuffer()


_kept = _Kept()


class TimedBuffer(MaskBuffer):
    """Memory that is given only if there is time for what will fill it.

    It is asked for when the sizes of an object's answers are known, and none is decoded yet.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self._memory = deadline, _kept.buffer

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """See `MaskBuffer`; OutOfTimeError if there is too little time."""
        self._deadline.check(math.prod(shape))
        return self._memory.take(shape, dtype)

"""Ctrl-C ends a run wherever it comes, also where a library swallows it or makes it an error."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_interrupted = threading.Event()


@contextlib.contextmanager
def noticed() -> Iterator[None]:
    """Remember an interrupt within the block, besides raising KeyboardInterrupt for it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        _interrupted.set()
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        # somebody else wants it
        yield
        return
    _interrupted.clear()
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
        check()
    finally:
        signal.signal(signal.SIGINT, before)
        _interrupted.clear()


def check() -> None:
    """Raise KeyboardInterrupt if there was an interrupt that did not get this far."""
    if _interrupted.is_set():
        raise KeyboardInterrupt


def ignore() -> None:
    """Leave interrupts to the process that started this one."""
    with contextlib.suppress(ValueError):  # not the main thread, which gets none
        signal.signal(signal.SIGINT, signal.SIG_IGN)

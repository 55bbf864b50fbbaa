"""Compressed pixels to bytes, never more than the header declares, by isal where it is installed.

zlib's verdict on what is damaged counts on every machine: where isal refuses, zlib is asked.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.kernels.png_colors import MARGIN
from consolidation.kernels.png_unfilter import unfilter
from consolidation.masks.chunks import Header

QUICK: Any = zlib
with contextlib.suppress(ImportError):
    QUICK = importlib.import_module("isal.isal_zlib")

STRIP = 1 << 18
"""Bytes that are unpacked at a time: they stay in the processor's second cache."""
PIECE = 1 << 16
"""Compressed bytes given to the library at a time: it copies what it has not read yet."""
KEPT = 1 << 20
"""Bytes up to which a thread keeps its buffer: new memory costs as much as unpacking into it."""

_own = threading.local()


class PixelStream:
    """Bytes of the pixels, in order, as many as are asked for.

    Parameters
    ----------
    chunks : sequence of memoryview
        The compressed pixels.
    library : module
        With zlib's interface.
    """

    def __init__(self, chunks: Sequence[memoryview], library: Any = None) -> None:
        self._chunks = chunks
        self._n_bytes = 0
        self._begin(QUICK if library is None else library)

    def _begin(self, library: Any) -> None:
        self._library = library
        self._stream = library.decompressobj()
        self._pieces = (
            chunk[at : at + PIECE] for chunk in self._chunks for at in range(0, len(chunk), PIECE)
        )
        self._tail: bytes | memoryview = next(self._pieces, b"")

    def more(self, most: int) -> bytes:
        """Up to `most` bytes, none only at the end; AnswerError if the stream is damaged."""
        while True:
            try:
                unpacked: bytes = self._stream.decompress(self._tail, most)
            except self._library.error as error:
                if self._library is zlib:
                    raise AnswerError(f"PNG is damaged: {error}") from None
                self._begin_again()
                continue
            self._tail = self._stream.unconsumed_tail
            self._n_bytes += len(unpacked)
            if unpacked or self._stream.eof:
                return unpacked
            if not self._tail:
                self._tail = next(self._pieces, b"")
                if not self._tail:
                    return b""

    def _begin_again(self) -> None:
        """Begin with zlib, and skip what has been unpacked."""
        skipped, self._n_bytes = self._n_bytes, 0
        self._begin(zlib)
        while self._n_bytes < skipped and self.more(min(STRIP, skipped - self._n_bytes)):
            pass

    def fill(self, out: NDArray[np.uint8]) -> int:
        """Write the next bytes into `out`; how many there were."""
        done = 0
        while done < out.size:
            unpacked = self.more(out.size - done)
            if not unpacked:
                break
            out[done : done + len(unpacked)] = np.frombuffer(unpacked, np.uint8)
            done += len(unpacked)
        return done


def strips(
    header: Header, chunks: Sequence[memoryview]
) -> Iterator[tuple[NDArray[np.uint8], int, int]]:
    """Rows of a picture that is not interlaced, unpacked and unfiltered, some at a time.

    Yields
    ------
    (ndarray of shape (B,), int, int)
        A buffer with the row above, rows of `header.line` bytes from there on, and MARGIN bytes;
        the first of those rows, and how many there are. It is overwritten by the next.

    Raises
    ------
    AnswerError
        If the stream is damaged or too short, or a filter is unknown. What follows the last row
        is not looked at, but for the byte after it, as the check sum may be.
    """
    line = header.line
    step = min(max(1, STRIP // line), header.height)
    buffer = _buffer((step + 1) * line + MARGIN, line)
    stream = PixelStream(chunks)
    for top in range(0, header.height, step):
        n_rows = min(step, header.height - top)
        n_bytes = stream.fill(buffer[line : (n_rows + 1) * line])
        if n_bytes < n_rows * line:
            raise AnswerError(
                f"PNG is damaged: {top * line + n_bytes:,} bytes of pixels, "
                f"{header.width} x {header.height} have {header.n_bytes:,}"
            )
        row = unfilter(buffer, line, line, n_rows, max(1, header.bits // 8))
        if row < n_rows:
            kind = buffer[(row + 1) * line]
            raise AnswerError(f"PNG is damaged: row {top + row} has filter {kind}; there are 5")
        yield buffer, top, n_rows
        buffer[:line] = buffer[n_rows * line : (n_rows + 1) * line]
    stream.more(1)


def _buffer(size: int, zeros: int) -> NDArray[np.uint8]:
    """Memory that begins with so many zeros, this thread's own where it is small."""
    if size > KEPT:
        # not written to before the stream has proved that there is something to write
        return np.zeros(size, np.uint8)
    if not hasattr(_own, "buffer"):
        _own.buffer = np.empty(KEPT, np.uint8)
    kept: NDArray[np.uint8] = _own.buffer[:size]
    kept[:zeros] = 0
    return kept

"""Run-length codes of other tools, decoded within what their image allows.

Every length is a stranger's: it is held against the image's pixels before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.kernels import json_text, runs
from consolidation.text import shown

PADDING = 8
"""Bytes that the bit reader may look at behind a stream."""
PAINTED_ALPHA = 1
"""Alpha from which on a pixel of a brush is painted: what the tool shows, and exports as COCO."""


def brush_bytes(values: bytes | bytearray | memoryview | Sequence[int]) -> NDArray[np.uint8]:
    """Stream of a brush of Label Studio: its bytes and `PADDING`.

    Parameters
    ----------
    values : bytes, or sequence of int
        Numbers 0 to 255; or the text of a JSON list of them, without brackets.

    Raises
    ------
    AnswerError
        If something else is among them.

    Examples
    --------
    >>> brush_bytes(b"0, 255").tolist() == brush_bytes([0, 255]).tolist()
    True
    """
    if isinstance(values, bytes | bytearray | memoryview):
        text = np.frombuffer(values, np.uint8)
        stream = np.zeros(len(text) // 2 + 1 + PADDING, np.uint8)
        n = json_text.parse_integers(text, 255, stream[:-PADDING])
        if n < 0:
            raise AnswerError(f"its brush is damaged: {_around(text, -1 - n)} is no byte")
        stream[n:] = 0
        return stream[: n + PADDING]
    try:
        data = bytes(values)
    except (TypeError, ValueError):
        raise AnswerError("its brush is damaged: not a list of numbers 0 to 255") from None
    return np.frombuffer(data + bytes(PADDING), np.uint8)


def brush_values(stream: NDArray[np.uint8]) -> int:
    """Number of values that a brush says it holds: 4 a pixel; AnswerError if it is too short."""
    if 8 * (len(stream) - PADDING) < runs.BRUSH_HEADER_BITS:
        raise AnswerError(f"its brush is cut off after {len(stream) - PADDING} bytes")
    return int.from_bytes(stream[:4].tobytes(), "big")


def decode_brush(
    stream: NDArray[np.uint8], height: int, width: int
) -> tuple[NDArray[np.uint8], int, int]:
    """Decode the alpha channel of a brush of Label Studio.

    Parameters
    ----------
    stream : ndarray of uint8
        As from `brush_bytes`.
    height, width : int
        Of the image.

    Returns
    -------
    alpha : ndarray of shape (height, width), uint8
    top, bottom : int
        Rows from `top` to before `bottom` hold all that is not 0.

    Raises
    ------
    AnswerError
        If it is made for another number of pixels, or cut off.

    Notes
    -----
    The stream and the words of its sizes: ``label_studio_sdk.converter.brush`` (thi.ng/umihi).

    Examples
    --------
    >>> alpha, top, bottom = decode_brush(brush_bytes([0, 0, 0, 4, 57, 27, 252, 0]), 1, 1)
    Traceback (most recent call last):
    consolidation.errors.AnswerError: its brush is cut off after 8 bytes
    """
    values = brush_values(stream)
    if values != 4 * height * width:
        pixels = f"{values / 4:,.10g}"
        raise AnswerError(
            f"its brush is made for {pixels} pixels, the image has {width} x {height}"
        )
    word = (int(stream[4]) >> 3) + 1
    if word != 8:
        raise AnswerError(f"its brush has values of {word} bits, not 8")
    alpha = np.zeros(height * width, np.uint8)
    n_bits = 8 * (len(stream) - PADDING)
    used, first, last = runs.brush_alpha(stream, n_bits, values, alpha, np.empty(4, np.int64))
    if used < 0:
        raise AnswerError(f"its brush is cut off after {len(stream) - PADDING} bytes")
    if PAINTED_ALPHA > 1:
        alpha[alpha < PAINTED_ALPHA] = 0
    top, bottom = (first // width, -(-last // width)) if last else (0, 0)
    return alpha.reshape(height, width), top, bottom


def parse_runs(text: str | bytes, area: int) -> NDArray[np.int64]:
    """Lengths of runs, by turns outside and inside, of a text such as ``3, 5, 7``.

    Raises
    ------
    AnswerError
        If it is something else, or they do not add up to `area`.

    Examples
    --------
    >>> parse_runs("3, 5, 7", 15)
    array([3, 5, 7])
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    counts = np.empty(len(data) // 2 + 1, np.int64)
    array = np.frombuffer(data, np.uint8)
    n = json_text.parse_integers(array, area, counts)
    if n < 0:
        raise AnswerError(
            f"its runs are damaged: {_around(array, -1 - n)} is no length up to {area:,}"
        )
    return _whole(counts[:n], area)


def listed_runs(values: Any, area: int) -> NDArray[np.int64]:
    """Lengths of runs given as a list of numbers; AnswerError as for `parse_runs`."""
    try:
        numbers: NDArray[Any] = np.array(values, np.float64 if _has_floats(values) else np.int64)
        if numbers.ndim != 1 or not ((numbers >= 0) & (numbers <= area)).all():
            raise ValueError
        counts: NDArray[np.int64] = numbers.astype(np.int64)
        if (counts != numbers).any():
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise AnswerError(f"its runs are damaged: not a list of lengths up to {area:,}") from None
    return _whole(counts, area)


def compressed_runs(text: str | bytes, area: int) -> NDArray[np.int64]:
    """Lengths of runs of COCO's compressed code; AnswerError as for `parse_runs`.

    Examples
    --------
    >>> compressed_runs("52203", 12)
    Traceback (most recent call last):
    consolidation.errors.AnswerError: its runs cover 16 pixels, the image has 12
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    array = np.frombuffer(data, np.uint8)
    counts: NDArray[np.int64] = np.empty(len(data), np.int64)
    n = runs.coco_counts(array, counts)
    if n < 0:
        raise AnswerError(f"its runs are damaged: {_around(array, -1 - n)} is no length")
    counts = counts[:n]
    if n and int(counts.max()) > area:
        raise AnswerError(f"its runs are damaged: one of {counts.max():,} pixels, of {area:,}")
    return _whole(counts, area)


def dense_runs(values: Any, area: int) -> NDArray[np.int64]:
    """Value and length of each run, (R, 2), of Darwin's list; AnswerError as for `parse_runs`.

    Examples
    --------
    >>> dense_runs([0, 3, 7, 2], 5)
    array([[0, 3],
           [7, 2]])
    """
    try:
        pairs = np.array(values, dtype=np.int64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        raise AnswerError("its raster layer is damaged: not a list of values and lengths") from None
    if len(pairs) and (pairs[:, 1].min() < 0 or pairs[:, 1].max() > area):
        raise AnswerError(f"its raster layer is damaged: a length that is not 0 to {area:,}")
    _whole(pairs[:, 1], area)
    return pairs


def _whole(counts: NDArray[np.int64], area: int) -> NDArray[np.int64]:
    # each is at most the area: the sum of all that fit the memory cannot overflow
    total = int(counts.sum())
    if total != area:
        raise AnswerError(f"its runs cover {total:,} pixels, the image has {area:,}")
    return counts


def _has_floats(values: Any) -> bool:
    """Whether numbers were written as 3.0: some tools do."""
    return isinstance(values, list) and any(isinstance(value, float) for value in values)


def _around(text: NDArray[np.uint8], at: int) -> str:
    return shown(text[at : at + 12].tobytes().decode("utf-8", "replace"))

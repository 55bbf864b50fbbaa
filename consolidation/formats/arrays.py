"""NumPy files from strangers: nothing is unpickled, sizes are checked before memory is taken."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.masks import MAX_PIXELS


def read_array(data: bytes, name: str, most: int = MAX_PIXELS) -> NDArray[Any]:
    """Array of whole numbers or truth values in a ``.npy`` file.

    Raises
    ------
    AnswerError
        If it is none, holds something else, is cut off, or has more than `most` values.
    """
    shape, _, dtype, _ = npy_header(data, name)
    if dtype.kind not in "buif" or math.prod(shape) > most:
        raise AnswerError(f"{name} holds {dtype} of shape {shape}: no mask, or too large")
    try:
        return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise AnswerError(f"{name} is damaged: {error}") from None


def npy_header(data: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """What a ``.npy`` file says it has: shape, whether columns come first, dtype; and its length.

    Raises
    ------
    AnswerError
        If it is none.
    """
    file = io.BytesIO(data)
    npy: Any = np.lib.format
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except Exception as error:  # whatever the library makes of a stranger's bytes
        raise AnswerError(f"{name} is no .npy file: {error}") from None
    if any(side < 0 for side in shape):
        raise AnswerError(f"{name} is damaged: shape {shape}")
    return shape, fortran, dtype, file.tell()

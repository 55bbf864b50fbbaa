"""Masks to the run-length codes of other tools: the inverse of `rle`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.regions import runs_of
from consolidation.kernels import regions, run_codes, runs

PAINTED = 255
"""Alpha of painted pixels in a brush."""
SIZES = (3, 4, 8, 16)
"""Bits of the counts of a brush's blocks, of which the last is used."""


class Shape(NamedTuple):
    """Runs of a mask, or of a part of it."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    area: int
    """Pixels."""
    box: tuple[int, int, int, int]
    """Top row, left column, and the row and column after the last."""

    def lengths(self, top: int, left: int, height: int, width: int) -> NDArray[np.int64]:
        """Lengths by turns outside and inside, row by row within a box that holds all of it."""
        counts = np.empty(2 * len(self.rows) + 1, np.int64)
        own = (self.rows, self.starts, self.ends)
        n = run_codes.turn_lengths(*own, top, left, width, height * width, counts)
        return counts[:n]


def whole(mask: NDArray[np.bool_]) -> Shape | None:
    """Shape of all that is set in a mask (H, Wd); None where nothing is.

    Examples
    --------
    >>> whole(np.array([[False, True], [True, True]])).lengths(0, 0, 2, 2)
    array([1, 3])
    """
    rows, starts, ends = runs_of(mask.view(np.uint8))
    if not len(rows):
        return None
    box = int(rows[0]), int(starts.min()), int(rows[-1]) + 1, int(ends.max())
    return Shape(rows, starts, ends, int((ends - starts).sum()), box)


def components(mask: NDArray[np.bool_]) -> Iterator[Shape]:
    """Connected parts of a mask (H, Wd), corners included, in the order of their first pixels."""
    found = runs_of(mask.view(np.uint8))
    region = np.empty(len(found[0]), np.int64)
    n = regions.join_runs(*found, region)
    area, box = np.zeros(n, np.int64), np.zeros((n, 4), np.int64)
    regions.measure(*found, region, area, box)
    order = np.argsort(region, kind="stable")
    rows, starts, ends = (values[order] for values in found)
    bounds = np.searchsorted(region[order], np.arange(n + 1)).tolist()
    for part, (pixels, corners) in enumerate(zip(area.tolist(), box.tolist(), strict=True)):
        own = slice(bounds[part], bounds[part + 1])
        yield Shape(rows[own], starts[own], ends[own], pixels, tuple(corners))


def compressed_text(counts: NDArray[np.int64]) -> str:
    """Lengths in COCO's compressed code; inverse of `rle.compressed_runs`.

    Examples
    --------
    >>> compressed_text(np.array([5, 2, 2, 3]))
    '5221'
    """
    text = np.empty(11 * len(counts), np.uint8)
    n = run_codes.coco_text(counts, text)
    return text[:n].tobytes().decode("ascii")


def brush_stream(counts: NDArray[np.int64]) -> bytes:
    """Brush of Label Studio, R = G = B = A, of lengths in pixels; inverse of `rle.decode_brush`.

    Parameters
    ----------
    counts : ndarray of int64
        By turns unpainted and painted, over all pixels of the image.
    """
    values = 4 * counts
    blocks = int((-(-values // run_codes.BLOCK)).sum())
    data = np.zeros((runs.BRUSH_HEADER_BITS + run_codes.REPEAT_BITS * blocks + 7) // 8, np.uint8)
    at = run_codes.write_bits(data, 0, 32, int(values.sum()))
    at = run_codes.write_bits(data, at, 5, 7)
    for size in SIZES:
        at = run_codes.write_bits(data, at, 4, size - 1)
    run_codes.brush_blocks(counts, PAINTED, data)
    return data.tobytes()

"""A small copy of one image's masks, consensus and confidence, as the report embeds it.

A pixel's whole story (who gave it which class, what was decided, with what confidence) is one
tuple, and an image has few different ones: the copy is a table of them and one index a pixel. The
browser inflates it and looks up; nothing passes through a canvas, whose colours some browsers
change on reading.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import Consensus, VotePatterns
from consolidation.kernels.reduction import choose_pixels, gather

SIDE = 512
"""Pixels of the longer side, at most."""

_LITTLE: dict[int, np.dtype[Any]] = {1: np.dtype(np.uint8), 2: np.dtype("<u2")}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A reduced copy of one image.

    Attributes
    ----------
    workers : tuple of W str
    size : (int, int)
        Height and width of the image, in pixels.
    step : int
        Each pixel here is one real pixel of a block of step x step; see `take`.
    table : ndarray of shape (P, W + 2), uint8 or uint16
        Each worker's label, the consensus and round(255 confidence), by pattern. The highest value
        of the dtype is no label: ignored, or undecided.
    patterns : ndarray of shape (h, w), uint16, or None
        Row of the table for each pixel; None if pixel i has row i (noise).
    """

    workers: tuple[str, ...]
    size: tuple[int, int]
    step: int
    table: NDArray[Any]
    patterns: NDArray[np.uint16] | None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the copy."""
        return reduced(self.size, self.step)

    @property
    def planes(self) -> NDArray[Any]:
        """(W + 2, h, w): the workers' masks, the consensus, the confidence in bytes."""
        rows = self.table if self.patterns is None else self.table[self.patterns.reshape(-1)]
        return np.ascontiguousarray(rows.T).reshape(-1, *self.shape)

    @property
    def header(self) -> dict[str, Any]:
        """What a reader must know of the inflated bytes: columns of the table, then patterns."""
        return {
            "workers": list(self.workers),
            "size": list(self.size),
            "step": self.step,
            "shape": list(self.shape),
            "rows": len(self.table),
            "bytes": self.table.itemsize,
            "exact": self.patterns is None,
        }

    def to_bytes(self) -> bytes:
        """One line of JSON and a zlib stream; equal snapshots give equal bytes."""
        columns = np.ascontiguousarray(self.table.T).astype(_LITTLE[self.table.itemsize])
        encoder = zlib.compressobj(1)
        body = encoder.compress(columns.data)
        if self.patterns is not None:
            body += encoder.compress(self.patterns.astype("<u2").data)
        return json.dumps(self.header).encode() + b"\n" + body + encoder.flush()

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """Inverse of `to_bytes`; ValueError if it is something else."""
        header, body = split(data)
        try:
            content = zlib.decompress(body)
            rows, columns = int(header["rows"]), len(header["workers"]) + 2
            dtype = _LITTLE[header["bytes"]]
            table = np.frombuffer(content, dtype, rows * columns).reshape(columns, rows).T
            patterns = None
            if not header["exact"]:
                rest = np.frombuffer(content, "<u2", offset=table.nbytes)
                patterns = rest.reshape(header["shape"]).astype(np.uint16, copy=False)
            height, width = header["size"]
            return cls(tuple(header["workers"]), (height, width), header["step"], table, patterns)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise ValueError(f"no snapshot: {error}") from None


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and zlib stream of a snapshot's bytes; ValueError if it is none."""
    line, _, body = data.partition(b"\n")
    header = json.loads(line)
    if not isinstance(header, dict):
        raise ValueError("no snapshot: its first line is no header")
    return header, body


def reduced(size: Sequence[int], step: int) -> tuple[int, int]:
    """Height and width in blocks."""
    return -(-size[0] // step), -(-size[1] // step)


def step_for(size: Sequence[int], side: int = SIDE) -> int:
    """Smallest block with which the longer side has at most `side` blocks."""
    return -(-max(size) // side)


def take(consensus: Consensus, side: int = SIDE) -> Snapshot:
    """Copy one image, reduced where a side is longer than `side`.

    Of each block one real pixel is kept, the same for all workers, the consensus and the
    confidence, so that what is shown together belongs together: the one with the fewest votes, and
    among equals that of the class with the smallest area, and then the first. Disputes and thin
    objects stay visible, and look up to one pixel of the copy thicker than they are.

    Examples
    --------
    A line one pixel wide survives; the third worker, who saw none, does too:

    >>> import numpy as np
    >>> from consolidation import consolidate
    >>> masks = np.zeros((3, 4, 4), np.uint8)
    >>> masks[:2, :, 2] = 1
    >>> snapshot = take(consolidate(masks), side=2)
    >>> snapshot.step, snapshot.planes.tolist()[1:4]
    (2, [[[0, 1], [0, 1]], [[0, 0], [0, 0]], [[0, 1], [0, 1]]])
    """
    size = consensus.labels.shape
    step = step_for(size, side)
    shape = reduced(size, step)
    wide = consensus.n_classes > 255 or consensus.labels.dtype != np.uint8
    dtype: np.dtype[Any] = np.dtype(np.uint16 if wide else np.uint8)
    none = (1 << 8 * dtype.itemsize) - 1
    planes = np.empty((consensus.n_workers + 2, *shape), dtype)
    sources = (*consensus.masks, consensus.labels, consensus.confidence_bytes())
    if step == 1:
        for plane, source in zip(planes, sources, strict=True):
            plane[...] = source
        undecided = consensus.undecided
    else:
        places = np.empty(shape, np.int64)
        choose_pixels(consensus.labels, consensus.votes, _rank(consensus), step, places)
        flat = places.reshape(-1)
        for plane, source in zip(planes, sources, strict=True):
            gather(source.reshape(-1), flat, plane.reshape(-1))
        undecided = consensus.votes.reshape(-1)[flat].reshape(shape) == 0
    if consensus.no_vote is not None:
        masks = planes[: consensus.n_workers]
        masks[masks == consensus.no_vote] = none
    planes[-2][undecided] = none
    patterns = VotePatterns.encode(planes)
    places_of_rows = None
    if not patterns.exact_pixels:
        places_of_rows = patterns.paint(planes, np.arange(len(patterns.tuples), dtype=np.uint16))
    return Snapshot(consensus.worker_ids, size, step, patterns.tuples, places_of_rows)


def _rank(consensus: Consensus) -> NDArray[np.int64]:
    """Rank of each class by its area in the consensus, smallest first."""
    areas = consensus.overlap[:, 2].max(axis=0)
    return np.argsort(np.argsort(areas, kind="stable"), kind="stable").astype(np.int64)

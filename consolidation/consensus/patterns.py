"""Vote patterns: what depends only on a pixel's tuple of votes, computed once a tuple.

An image of millions of pixels has hundreds of different tuples of votes. Agreement, confusion
and expectation-maximisation need the tuples and how often each occurs, not where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.kernels import agreement, pixel_agreement
from consolidation.kernels import patterns as kernels
from consolidation.kernels._lanes import LANES
from consolidation.kernels.class_counts import MOST

MIN_TUPLES = 1024
MAX_TUPLES = 1 << 22
PIXELS_PER_TUPLE = 16
"""An image may have one tuple for so many pixels; more is noise, and a table would not pay."""


@dataclass(frozen=True, eq=False)
class VotePatterns:
    """Unique vote tuples and their number of pixels.

    Attributes
    ----------
    tuples : ndarray of shape (P, W)
        Labels of the W workers, dtype of the masks. Where an image has more unique tuples than
        one for every 16 pixels (noise), a table would be larger than it is worth: then `tuples`
        is a view of the masks, every pixel its own pattern (`exact_pixels`), and no memory is
        taken at all. Everything computed from it is the same, only slower.
    counts : ndarray of shape (P,), int64
        Pixels with that tuple.
    exact_pixels : bool
        Whether pattern i is pixel i.

    Examples
    --------
    >>> import numpy as np
    >>> masks = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]], dtype=np.uint8)
    >>> patterns = VotePatterns.encode(masks)
    >>> patterns.tuples.tolist(), patterns.counts.tolist()
    ([[0, 0], [0, 1], [1, 1]], [1, 1, 2])
    >>> patterns.pairwise(n_classes=2)[0, 1].tolist()
    [[1, 1], [0, 2]]
    """

    tuples: NDArray[Any]
    counts: NDArray[np.int64]
    exact_pixels: bool = False

    @classmethod
    def encode(cls, masks: NDArray[Any]) -> VotePatterns:
        """Count the tuples of masks (W, ...), uint8 or uint16."""
        masks = _checked(masks)
        n_workers = masks.shape[0]
        flat = masks.reshape(n_workers, -1)
        n_pixels = flat.shape[1]
        limit = min(max(MIN_TUPLES, n_pixels // PIXELS_PER_TUPLE), MAX_TUPLES)
        tuples = np.empty((min(256, limit), n_workers), masks.dtype)
        counts = np.zeros(len(tuples), np.int64)
        table = _table(len(tuples))
        position, known = kernels.encode(flat, 0, 0, tuples, counts, table)
        while position < n_pixels:
            if known >= limit:
                return cls(flat.T, np.broadcast_to(np.int64(1), n_pixels), exact_pixels=True)
            room = min(4 * known, limit)
            tuples, counts = _grown(tuples, room), _grown(counts, room)
            table = _table(room)
            kernels.rehash(tuples, known, table)
            position, known = kernels.encode(flat, position, known, tuples, counts, table)
        return cls(tuples[:known].copy(), counts[:known].copy())

    @property
    def n_pixels(self) -> int:
        """Pixels counted."""
        return int(self.counts.sum())

    def __add__(self, other: VotePatterns) -> VotePatterns:
        """Patterns of both images; they must have the same workers in the same order."""
        if not isinstance(other, VotePatterns):
            return NotImplemented
        if self.tuples.shape[1] != other.tuples.shape[1]:
            raise ValueError(
                f"cannot add patterns of {self.tuples.shape[1]} and {other.tuples.shape[1]} workers"
            )
        tuples = np.concatenate([self.tuples, other.tuples])
        unique, inverse = np.unique(tuples, axis=0, return_inverse=True)
        counts = np.zeros(len(unique), np.int64)
        np.add.at(counts, inverse.reshape(-1), np.concatenate([self.counts, other.counts]))
        return VotePatterns(unique, counts)

    def paint(
        self,
        masks: NDArray[Any],
        values: NDArray[Any],
        wanted: NDArray[np.bool_] | None = None,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Give every pixel of `masks` (those encoded) the value (P,) of its tuple.

        Parameters
        ----------
        wanted : ndarray of shape (P,), bool, optional
            Tuples to paint; by default all. Other pixels of `out` stay as they are.
        out : ndarray of the shape of a mask, optional
            To paint into; by default a new array.
        """
        masks = _checked(masks)
        if out is None:
            out = np.zeros(masks.shape[1:], values.dtype)
        if wanted is None:
            wanted = np.ones(len(values), np.bool_)
        if self.exact_pixels:
            out.reshape(-1)[wanted] = values[wanted]
            return out
        table = _table(len(self.tuples))
        kernels.rehash(self.tuples, len(self.tuples), table)
        flat = masks.reshape(masks.shape[0], -1)
        kernels.paint(flat, self.tuples, table, values, wanted, out.reshape(-1))
        return out

    def pairwise(self, n_classes: int) -> NDArray[np.int64]:
        """Confusion matrices (W, W, K, K) of every two workers; [a, b] is [b, a] transposed.

        Labels from `n_classes` on are left out.
        """
        n_workers = self.tuples.shape[1]
        matrices = np.zeros((n_workers, n_workers, n_classes, n_classes), np.int64)
        agreement.pairwise_confusion(self.tuples, self.counts, matrices)
        below = np.tril_indices(n_workers, -1)
        matrices[below] = matrices.transpose(1, 0, 3, 2)[below]
        return matrices

    def agreements(self, n_classes: int, ignore: int = -1) -> NDArray[np.int64]:
        """Sums (W, W, 3, K) of every two workers a < b.

        For each class, the pixels that both gave it, that a gave it, and that b gave it; pixels
        that either labels `ignore` are left out.
        """
        n_workers = self.tuples.shape[1]
        sums = np.zeros((n_workers, n_workers, 3, n_classes), np.int64)
        if self.exact_pixels:
            counts = np.zeros((n_workers, n_classes), np.int64)
            pixel_agreement.agreements(self.tuples.T, ignore, counts, sums)
        else:
            agreement.agreements(self.tuples, self.counts, ignore, sums)
        return sums

    def coincidences(
        self, n_classes: int, ignore: int = -1
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What Krippendorff's alpha needs, of pixels that two workers or more labelled.

        Returns
        -------
        values : ndarray of shape (K,), int64
            Labels given, by class; those from `n_classes` on, and `ignore`, are left out.
        conflicts : ndarray of shape (W + 1,), int64
            [m]: ordered pairs of different labels, at pixels that m workers labelled.
        """
        values = np.zeros(n_classes, np.int64)
        conflicts = np.zeros(self.tuples.shape[1] + 1, np.int64)
        if self.exact_pixels:
            pixel = np.empty((2, LANES), np.int64)
            scratch = *block_scratch(), pixel
            pixel_agreement.coincidences(self.tuples.T, ignore, *scratch, values, conflicts)
        else:
            agreement.coincidences(self.tuples, self.counts, ignore, values, conflicts)
        return values, conflicts


def block_scratch() -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int16]]:
    """Scratch of the kernels that count the classes of a block."""
    places = np.full(1 << 16, -1, np.int16)
    return np.empty(MOST, np.int64), np.empty(MOST * LANES, np.uint8), places


def _checked(masks: NDArray[Any]) -> NDArray[Any]:
    """Return the masks as the kernels read them: memory in order."""
    if masks.dtype not in (np.uint8, np.uint16) or masks.ndim < 2 or masks.shape[0] == 0:
        raise ValueError(
            f"masks must be uint8 or uint16 of shape (W, ...), not {masks.dtype} {masks.shape}"
        )
    return np.ascontiguousarray(masks)


def _table(n_tuples: int) -> NDArray[np.int32]:
    """Return an empty hash table, at most half full when it holds `n_tuples`."""
    return np.full(1 << max(4, int(2 * n_tuples - 1).bit_length()), -1, np.int32)


def _grown(array: NDArray[Any], length: int) -> NDArray[Any]:
    grown = np.zeros((length, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown

"""The masks of one image as the vote wants them: checked once, copied only where they must be."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from consolidation.consensus.class_indices import converted, given_mask, kept
from consolidation.limits import MAX_WORKERS

Labels = NDArray[Any]


class Stack:
    """W masks of one image, flattened to rows.

    Parameters
    ----------
    masks : ndarray of shape (W, H, Wd), or sequence of W arrays of shape (H, Wd)
        Class indices: bool or integers, nested lists too. A C-contiguous array of uint8 or uint16
        is not copied; others are made uint8, or uint16 above 254 classes. What a masked array
        hides is no vote.
    ignore_index : int or None
        A value that is no vote.
    highest_wanted : int
        Another label that must fit where masks are converted.

    Attributes
    ----------
    rows : tuple of W ndarrays of shape (H * Wd,)
    shape : (int, int)
    dtype : numpy.dtype
    ignore : int
        Label that is no vote, or -1 for none.

    Raises
    ------
    ValueError
        If there is no mask or more than 255, or shapes differ, or values are no class indices.
    """

    def __init__(
        self,
        masks: Labels | Sequence[ArrayLike],
        ignore_index: int | None,
        highest_wanted: int = 0,
    ) -> None:
        self._array: Labels | None = None
        if isinstance(masks, np.ndarray) and masks.ndim != 3:
            raise ValueError(f"masks must have shape (W, H, Wd), not {masks.shape}")
        pairs = [given_mask(mask, index) for index, mask in enumerate(masks)]
        if not 1 <= len(pairs) <= MAX_WORKERS:
            raise ValueError(f"there must be 1 to {MAX_WORKERS} masks, not {len(pairs)}")
        first = pairs[0].values
        for index, (mask, _) in enumerate(pairs):
            if mask.ndim != 2:
                raise ValueError(f"mask {index} has shape {mask.shape}; a mask has two axes")
            if mask.shape != first.shape:
                raise ValueError(f"mask {index} has shape {mask.shape}, mask 0 has {first.shape}")
        if ignore_index is not None:
            _check_integer("ignore_index", ignore_index)
        if not kept(pairs):
            self._array, self.ignore = converted(pairs, ignore_index, highest_wanted)
        else:
            if isinstance(masks, np.ndarray):
                whole = np.asarray(masks)
                self._array = _plain(whole if whole.dtype == first.dtype else whole.view(np.uint8))
            if ignore_index is not None:
                check_index("ignore_index", ignore_index, first.dtype)
            self.ignore = -1 if ignore_index is None else int(ignore_index)
        plain = [_plain(mask) for mask, _ in pairs] if self._array is None else self._array
        self.dtype = plain[0].dtype
        self.shape: tuple[int, int] = first.shape
        self.rows = tuple(mask.reshape(-1) for mask in plain)

    def ignoring_nothing(self) -> Stack:
        """Return the same masks where no pixel has the label that is no vote."""
        same = copy.copy(self)
        same.ignore = -1
        return same

    def highest(self) -> int:
        """Highest class in any mask, 0 if there is none."""
        return max(self.highest_of(row) for row in self.rows)

    def highest_of(self, row: Labels) -> int:
        """Highest class in one mask (N,), 0 if there is none."""
        top = int(row.max(initial=0))
        # a copy only where something is ignored
        return top if top < self.ignore or self.ignore < 0 else self._without_ignored(row)

    def _without_ignored(self, row: Labels) -> int:
        return int(row[row != self.ignore].max(initial=0))

    def checked_ids(self, workers: Iterable[object]) -> list[str]:
        """Workers' ids as text; ValueError unless there is a different one for each mask."""
        ids = [str(worker) for worker in workers]
        if len(ids) != self.n_workers:
            raise ValueError(f"{len(ids)} worker ids for {self.n_workers} masks")
        if len(set(ids)) != len(ids):
            raise ValueError(f"worker ids must differ: {', '.join(ids)}")
        return ids

    def only(self, keep: NDArray[np.bool_]) -> Stack:
        """Stack of some of the workers, a copy unless it is all of them: keep (W,)."""
        if keep.all():
            return self
        rows = [row for row, kept in zip(self.rows, keep, strict=True) if kept]
        masks = [row.reshape(self.shape) for row in rows]
        return Stack(masks, None if self.ignore < 0 else self.ignore)

    @property
    def n_workers(self) -> int:
        """Number of masks."""
        return len(self.rows)

    @property
    def n_pixels(self) -> int:
        """Pixels of one mask."""
        return self.shape[0] * self.shape[1]

    @property
    def array(self) -> Labels:
        """All masks as one array of shape (W, H, Wd); separate masks are copied once."""
        if self._array is None:
            self._array = np.stack(self.rows).reshape(self.n_workers, *self.shape)
            self.rows = tuple(mask.reshape(-1) for mask in self._array)
        return self._array

    @property
    def flat(self) -> Labels:
        """`array` with shape (W, H * Wd)."""
        return self.array.reshape(self.n_workers, -1)


class _Memory:
    """An array's memory, declared writable."""

    def __init__(self, array: Labels) -> None:
        self.array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def _plain(mask: Labels) -> Labels:
    """C-contiguous view, or copy if need be.

    Read-only arrays (decoded images, memory maps) are another type to the compiler: kernels,
    which never write to masks, would be compiled once more for each mixture of the two.
    """
    mask = np.ascontiguousarray(mask)
    if mask.flags.writeable or mask.size == 0:
        return mask
    return np.asarray(_Memory(mask))


def check_index(name: str, value: int, dtype: np.dtype[Any]) -> None:
    """Raise ValueError unless `value` is an integer that fits `dtype`."""
    _check_integer(name, value)
    highest = int(np.iinfo(dtype).max)
    if not 0 <= value <= highest:
        raise ValueError(f"{name} must be 0 to {highest} for {dtype} masks, not {value}")


def _check_integer(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be an integer, not {value!r}")

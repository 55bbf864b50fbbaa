"""Masks of whatever integers, read as class indices in one or two bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

HIGHEST = 65535
"""Class indices have two bytes at most."""
_KEPT = (np.dtype(np.uint8), np.dtype(np.uint16))


class Given(NamedTuple):
    """A mask as it was given: its values, and where they are hidden (masked arrays)."""

    values: NDArray[Any]
    hidden: NDArray[np.bool_] | None


def given_mask(mask: ArrayLike, index: int) -> Given:
    """Read one mask, bool or of integers; ValueError names it by its index if it is neither."""
    hidden = None
    if isinstance(mask, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(mask) if np.ma.is_masked(mask) else None
        mask = mask.data
    try:
        values = np.asarray(mask)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            f"mask {index} is no grid of numbers: do its rows differ in length?"
        ) from None
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if values.dtype.kind == "f":
        raise ValueError(
            f"mask {index} is {values.dtype}, and class indices are whole numbers: "
            "masks.astype(np.uint8), or np.uint16, where they are"
        )
    if values.dtype.kind not in "iu":
        raise ValueError(f"mask {index} is {values.dtype}, and class indices are whole numbers")
    return Given(values, hidden)


def kept(masks: Sequence[Given]) -> bool:
    """Whether masks can stay what they are: all uint8 or all uint16, and nothing hidden."""
    dtypes = {mask.values.dtype for mask in masks}
    return (
        len(dtypes) == 1 and dtypes.issubset(_KEPT) and all(mask.hidden is None for mask in masks)
    )


def converted(
    masks: Sequence[Given], ignore_index: int | None, highest_wanted: int = 0
) -> tuple[NDArray[Any], int]:
    """Masks of one shape as one array (W, H, Wd), uint8, or uint16 above 254 classes.

    Parameters
    ----------
    masks : sequence of W Given
    ignore_index : int or None
        A value that is no vote; any integer.
    highest_wanted : int
        Another label that must fit.

    Returns
    -------
    (ndarray, int)
        The masks, and the label of ignored and of hidden pixels in them, -1 without any:
        `ignore_index` if it fits, else the highest label.

    Raises
    ------
    ValueError
        For values that are no class indices.
    """
    votes = [_votes(mask, ignore_index) for mask in masks]
    pairs = list(zip(masks, votes, strict=True))
    tops = [_highest(index, mask.values, where) for index, (mask, where) in enumerate(pairs)]
    highest = max(*tops, highest_wanted)
    two_bytes = highest > 254 or all(mask.values.dtype == np.uint16 for mask in masks)
    out = np.empty((len(masks), *masks[0].values.shape), np.uint16 if two_bytes else np.uint8)
    label = -1
    if not all(where is True for where in votes):
        label = _free_label(out.dtype, highest, ignore_index)
    for row, (mask, where) in zip(out, pairs, strict=True):
        if where is not True:
            row[...] = label
        np.copyto(row, mask.values, casting="unsafe", where=where)
    return out, label


def _votes(mask: Given, ignore_index: int | None) -> Any:
    """Where a mask (H, Wd) votes: True for everywhere."""
    votes: Any = True if mask.hidden is None else ~mask.hidden
    if ignore_index is not None:
        ignored = mask.values == ignore_index
        if ignored.any():
            votes &= ~ignored
    return votes


def _highest(index: int, values: NDArray[Any], where: Any) -> int:
    """Highest class of mask `index`; ValueError for what is no class index."""
    lowest = int(values.min(initial=0, where=where))
    highest = int(values.max(initial=0, where=where))
    if lowest < 0:
        pixels = int(np.count_nonzero((values == lowest) & where))
        raise ValueError(
            f"mask {index} has {lowest} in {pixels:,} pixels, and class indices are 0 to "
            f"{HIGHEST}: if it means that a pixel says nothing, give ignore_index={lowest}"
        )
    if highest > HIGHEST:
        raise ValueError(
            f"mask {index} has class {highest}, and class indices are 0 to {HIGHEST}: "
            "np.unique(masks, return_inverse=True) numbers few classes anew"
        )
    return highest


def _free_label(dtype: np.dtype[Any], highest: int, ignore_index: int | None) -> int:
    """Label for pixels that say nothing: the one that was given, if it fits, else the last."""
    last = int(np.iinfo(dtype).max)
    if ignore_index is not None and 0 <= ignore_index <= last:
        return int(ignore_index)
    if highest == last:
        raise ValueError(f"class {last} leaves no label for pixels that say nothing")
    return last

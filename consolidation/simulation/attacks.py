"""What workers do who do not draw what they see: they copy, grow, box, shift or leave out.

Each is a function of masks of class indices, 0 background, and gives another one. The kinds of
workers in `worker_kinds` and `benchmarks/attacks.py`, which lets them loose on real people's
masks, are made of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]


def changed(mask: Mask, share: float, n_classes: int, rng: np.random.Generator) -> Mask:
    """Give a share of the pixels, drawn by chance, another of `n_classes` classes.

    Examples
    --------
    >>> mask = changed(np.zeros((40, 50), np.uint8), 0.1, 3, np.random.default_rng(0))
    >>> sorted(np.unique(mask).tolist()), 150 < int(np.count_nonzero(mask)) < 250
    ([0, 1, 2], True)
    """
    places = rng.random(mask.shape) < share
    other = mask.copy()
    step = rng.integers(1, n_classes, int(places.sum()))
    other[places] = (mask[places] + step) % n_classes
    return other


def grown(mask: Mask, pixels: int) -> Mask:
    """Let every class grow into the background, step by step to the four neighbours.

    Examples
    --------
    >>> grown(np.array([[0, 0, 1, 0, 0, 0, 2]], np.uint8), 1).tolist()
    [[0, 1, 1, 1, 0, 2, 2]]
    """
    from scipy import ndimage

    larger = mask.copy()
    for label in np.unique(mask[mask > 0]).tolist():
        area = ndimage.binary_dilation(mask == label, iterations=pixels)
        larger[area & (larger == 0)] = label
    return larger


def boxed(mask: Mask) -> Mask:
    """Replace every connected object by its bounding box.

    Examples
    --------
    >>> boxed(np.array([[1, 0, 0], [1, 1, 0]], np.uint8)).tolist()
    [[1, 1, 0], [1, 1, 0]]
    """
    out = np.zeros_like(mask)
    for label, _, box in _objects(mask):
        out[box] = label
    return out


def largest(mask: Mask) -> Mask:
    """Keep the largest connected object only.

    Examples
    --------
    >>> largest(np.array([[1, 0, 2, 2]], np.uint8)).tolist()
    [[0, 0, 2, 2]]
    """
    out = np.zeros_like(mask)
    kept = max(_objects(mask), key=lambda item: int(item[1].sum()), default=None)
    if kept is not None:
        label, inside, box = kept
        out[box][inside] = label
    return out


def half_absent(mask: Mask, rng: np.random.Generator) -> Mask:
    """Leave out every connected object by the toss of a coin."""
    out = mask.copy()
    for _, inside, box in _objects(mask):
        if rng.random() < 0.5:
            out[box][inside] = 0
    return out


def shifted(mask: Mask, rows: int, columns: int) -> Mask:
    """Move all that was painted; what leaves the picture is lost.

    Examples
    --------
    >>> shifted(np.array([[1, 0, 2]], np.uint8), 0, 1).tolist()
    [[0, 1, 0]]
    """
    out = np.zeros_like(mask)
    height, width = mask.shape
    down, right = max(rows, 0), max(columns, 0)
    up, left = max(-rows, 0), max(-columns, 0)
    out[down : height - up, right : width - left] = mask[up : height - down, left : width - right]
    return out


def _objects(mask: Mask) -> list[tuple[int, npt.NDArray[np.bool_], tuple[slice, slice]]]:
    """Class, pixels within its box, and box of every connected object."""
    from scipy import ndimage

    parts = []
    for label in np.unique(mask[mask > 0]).tolist():
        numbers, _ = ndimage.label(mask == label)
        for number, box in enumerate(ndimage.find_objects(numbers), start=1):
            parts.append((label, numbers[box] == number, box))
    return parts

"""Auto-segmentation for the page: points and clicks in, masks as runs out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import OptionError

MAX_CLICKS = 200


def available() -> bool:
    """Whether there is an auto-segmentation."""
    from importlib.util import find_spec

    return find_spec("consolidation.autosegment") is not None


def new_cache() -> Any:
    """What `suggest` keeps of an image between its objects."""
    from consolidation.autosegment import Cache

    return Cache()


def suggest(image: NDArray[np.uint8], request: Any, cache: Any = None) -> dict[str, Any]:
    """Masks of an object, best first, JSON-ready.

    Parameters
    ----------
    image : ndarray of shape (H, Wd, 3), uint8
    request : mapping
        ``points``, four of [x, y], or ``mask``, what is painted already, as ``box`` and ``runs``;
        ``clicks``: any number of [x, y, 1 or -1].
    cache : object, optional
        Of `new_cache`, for as long as the image is the same.

    Returns
    -------
    dict
        ``masks``: of each ``name``, ``box`` (left, top, width, height) and ``runs``, as `runs`.

    Raises
    ------
    OptionError
        If points, mask or clicks are not what they should be.
    """
    from consolidation.autosegment import segment

    start, clicks = start_of(request, image.shape[:2])
    try:
        first = segment(image, **start, clicks=clicks, cache=cache)
        segmentations = {"painted": first}
        if "points" in start:
            names = first.alternatives
            others = [
                segment(image, **start, clicks=clicks, alternative=number, cache=cache)
                for number in range(1, len(names))
            ]
            segmentations = dict(zip(names, [first, *others], strict=True))
    except ValueError as error:
        raise OptionError(str(error)) from None
    return {
        "masks": [
            {
                "name": name,
                "box": [int(side) for side in segmentation.box],
                "runs": runs(segmentation.crop),
            }
            for name, segmentation in segmentations.items()
        ]
    }


def start_of(request: Any, size: tuple[int, ...]) -> tuple[dict[str, Any], list[tuple[int, ...]]]:
    """What a request begins with, as arguments, and its clicks; OptionError as `suggest`."""
    if not isinstance(request, dict):
        raise OptionError("points and clicks are lists of whole numbers")
    clicks = _numbers(request.get("clicks", []), 3, MAX_CLICKS)
    painted = request.get("mask")
    if painted is None:
        return {"points": _numbers(request.get("points"), 2, 4)}, clicks
    mask = np.zeros(size[:2], bool)
    if not isinstance(painted, dict):
        raise OptionError("a mask has a box and runs, which are whole numbers")
    box, lengths = painted.get("box"), painted.get("runs")
    ((left, top, width, height),) = _numbers([box], 4, 1)
    rows, columns = mask.shape
    if (
        left < 0
        or top < 0
        or min(width, height) < 1
        or left + width > columns
        or top + height > rows
    ):
        raise OptionError(f"the mask's box {box} is not in the image of {columns} x {rows} pixels")
    lengths = lengths if isinstance(lengths, list) else []
    whole = all(isinstance(length, int) and length >= 0 for length in lengths)
    if not whole or sum(lengths) != width * height:
        raise OptionError(f"the mask's runs do not fill its box {box}")
    inside = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    mask[top : top + height, left : left + width] = inside.reshape(height, width)
    return {"mask": mask}, clicks


def runs(crop: NDArray[np.bool_]) -> list[int]:
    """Lengths of runs of a mask, row by row, beginning with what is outside.

    Examples
    --------
    >>> runs(np.array([[False, True, True], [True, False, False]]))
    [1, 3, 2]
    """
    flat = np.concatenate([[False], np.asarray(crop, bool).ravel()])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(length) for length in np.diff(np.concatenate([[0], ends, [flat.size - 1]]))]


def _numbers(value: Any, length: int, most: int) -> list[tuple[int, ...]]:
    """Check a list of lists of whole numbers."""
    whole = isinstance(value, list) and all(
        isinstance(row, list) and len(row) == length and all(isinstance(n, int) for n in row)
        for row in value
    )
    if not whole or len(value) > most:
        raise OptionError(f"points and clicks are lists of {length} whole numbers, at most {most}")
    return [tuple(row) for row in value]

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


def suggest(image: NDArray[np.uint8], request: Any, cache: Any = None) -> Any:
    """Masks of the object that four points mark, best first, JSON-ready.

    Parameters
    ----------
    image : ndarray of shape (H, Wd, 3), uint8
    request : mapping
        ``points``: four of [x, y]; ``clicks``: any number of [x, y, 1 or -1].
    cache : object, optional
        Kept by the caller for as long as the image is the same.

    Returns
    -------
    dict
        ``masks``: of each ``name``, ``box`` (left, top, width, height) and ``runs``: lengths of
        runs, row by row through the box, beginning with what is outside.

    Raises
    ------
    OptionError
        If points or clicks are not what they should be.
    """
    from consolidation.autosegment import segment  # type: ignore[import-not-found, unused-ignore]

    points, clicks = points_of(request)
    masks: list[dict[str, Any]] = []
    try:
        first = segment(image, points, clicks, cache=cache)
        for number, name in enumerate(first.alternatives):
            result = first
            if number:
                result = segment(image, points, clicks, alternative=number, cache=cache)
            masks.append(
                {"name": name, "box": [int(side) for side in result.box], "runs": runs(result.crop)}
            )
    except ValueError as error:
        raise OptionError(str(error)) from None
    return {"masks": masks}


def points_of(request: Any) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Points and clicks of a request, checked; OptionError as `suggest`."""
    if not isinstance(request, dict):
        raise OptionError("points and clicks are lists of whole numbers")
    points = _numbers(request.get("points"), 2, 4)
    return points, _numbers(request.get("clicks", []), 3, MAX_CLICKS)


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

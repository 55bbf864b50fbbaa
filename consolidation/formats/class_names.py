"""What classes are called on both sides of a comparison, and which of them are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from consolidation.errors import SourceError
from consolidation.formats.class_list import is_void
from consolidation.masks import UNDECIDED_INDEX, is_background

Names = Mapping[int, str]
"""Class index to name."""

# One index, two states, never mixed: in a prediction "the vote did not decide" (wrong wherever it
# stands), in the truth "nobody knows" (not scored). In neither is it a class.
NO_CLASS = UNDECIDED_INDEX


def class_table(
    predicted: Names, truth: Names, whose: tuple[str, str] = ("the prediction", "the truth")
) -> npt.NDArray[np.uint8]:
    """Index that each predicted index has in the truth: by name where both sides tell names.

    Background is index 0, however it is spelt. A name such as ``class-3`` of index 3 is none
    (so a class is called that nobody named), unless the other side uses it too.

    Parameters
    ----------
    predicted, truth : mapping of int to str
        Class index to name; empty if the side tells none.
    whose : (str, str), optional
        What to call the sides in messages.

    Returns
    -------
    ndarray of uint8, shape (256,)
        255 for an index that has no name and is another class in the truth.

    Raises
    ------
    SourceError
        If a class is named on one side only.

    Examples
    --------
    >>> class_table({1: "car", 2: "road"}, {1: "road", 2: "car"})[:4]
    array([0, 2, 1, 3], dtype=uint8)
    """
    table = np.arange(256, dtype=np.uint8)
    ours, theirs = _told(predicted, truth), _told(truth, predicted)
    if not ours or not theirs:
        return table
    lacking = [
        f"{_some(names.keys() - other.keys())} only in {side}"
        for names, other, side in ((ours, theirs, whose[0]), (theirs, ours, whose[1]))
        if names.keys() - other.keys()
    ]
    if lacking:
        raise SourceError(f"the classes are not the same: {'; '.join(lacking)}")
    # an index without a name must not pass for the class that has it on the other side
    table[list(theirs.values())] = NO_CLASS
    table[list(ours.values())] = [theirs[name] for name in ours]
    return table


def _told(names: Names, others: Names) -> dict[str, int]:
    """Index by name of the classes that have one."""
    used = set(others.values())
    # without background, class 0 is one like the others
    nothing = 0 not in names or is_background(names[0]) or is_void(names[0])
    return {
        name: index
        for index, name in names.items()
        if (1 if nothing else 0) <= index < NO_CLASS and (name != f"class-{index}" or name in used)
    }


def _some(names: Iterable[str]) -> str:
    listed = [repr(name) for name in sorted(names)]
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")

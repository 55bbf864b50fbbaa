"""Pixels that nobody labelled: on purpose (void), or because nothing is known of them.

Nothing that nobody labelled is confident: such pixels count 0 in the image's confidence, and in the
need of review as pixels on which no two workers agree. Where it was on purpose, they count nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Void = bool | NDArray[np.bool_]


def checked_void(void: Any, shape: tuple[int, int]) -> Void:
    """Return where it is on purpose that nobody votes; ValueError for another shape or kind."""
    if isinstance(void, bool | np.bool_):
        return bool(void)
    array = np.asarray(void)
    if array.dtype != np.bool_ or array.shape != shape:
        raise ValueError(
            f"void must be True, False or bool of shape {shape}, not {array.dtype} {array.shape}"
        )
    return array


class Unlabelled(NamedTuple):
    """Pixels of an image without any vote.

    Attributes
    ----------
    void : int
        Those that everybody left out on purpose.
    unknown : int
        The others.
    share : float
        Of the unknown ones among the pixels that are not void; 1 if all are void.

    Examples
    --------
    >>> unvoted = np.array([[True, True, True, False]])
    >>> Unlabelled.of(unvoted, void=np.array([[True, False, False, True]]))
    Unlabelled(void=1, unknown=2, share=0.6666666666666666)
    """

    void: int = 0
    unknown: int = 0
    share: float = 0.0

    @classmethod
    def of(cls, unvoted: NDArray[np.bool_], void: Void) -> Unlabelled:
        """Count (H, Wd): where nobody votes, and where that is on purpose."""
        n_unvoted = int(np.count_nonzero(unvoted))
        n_void = int(np.count_nonzero(unvoted & void))
        rest = unvoted.size - n_void
        return cls(n_void, n_unvoted - n_void, (n_unvoted - n_void) / rest if rest else 1.0)

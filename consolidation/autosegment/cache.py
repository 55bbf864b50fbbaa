"""What was read off an image's crops, kept while a worker clicks on it."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Made = TypeVar("Made")


class Cache:
    """Features and candidates of the objects looked at last, of one image.

    Another image than the last call's empties it; an image whose pixels were changed in place is
    the same image, so call `clear` then. Not to be shared by threads.

    Parameters
    ----------
    objects : int
        How many objects are kept; each has about 1 MB.

    Examples
    --------
    >>> from consolidation.autosegment import Cache, segment
    >>> image = np.zeros((40, 40), np.uint8)
    >>> image[10:30, 12:28] = 200
    >>> cache, points = Cache(), [(20, 10), (27, 20), (20, 29), (12, 20)]
    >>> first = segment(image, points, cache=cache)
    >>> again = segment(image, points, [(20, 20, False)], cache=cache)
    >>> len(cache)
    2
    """

    def __init__(self, objects: int = 16) -> None:
        self._room = 2 * objects
        self._image: Callable[[], Any] = lambda: None
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def get(self, image: NDArray[np.generic], key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for this key of this image, or make it."""
        if self._image() is not image:
            self.clear()
            self._image = weakref.ref(image)
        if key not in self._kept:
            made = make()
            self._kept[key] = made
        self._kept.move_to_end(key)
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)
        kept: Made = self._kept[key]
        return kept

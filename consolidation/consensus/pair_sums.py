"""What every two workers of a job tell about each other, in integers that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.kernels.outlines import N_BINS


def _nothing() -> NDArray[np.int64]:
    return np.zeros((2, 3, N_BINS), np.int64)


@dataclass(frozen=True, eq=False)
class PairSums:
    """Sums of two workers over the images both did.

    Attributes
    ----------
    sums : ndarray of shape (3, K), int64
        Pixels of each class: that both gave it, that the first gave it, that the second gave it.
    images : int
    offsets : ndarray of shape (2, 3, N_BINS), int64
        How far outlines lie from each other, the second's from the first's and the other way
        round; see `kernels.outlines.offsets`.
    drawn : int
        Images in which that tells something.
    """

    sums: NDArray[np.int64]
    images: int
    offsets: NDArray[np.int64] = field(default_factory=_nothing)
    drawn: int = 0

    def __add__(self, other: PairSums) -> PairSums:
        k = max(self.sums.shape[1], other.sums.shape[1])
        sums = np.zeros((3, k), np.int64)
        sums[:, : self.sums.shape[1]] += self.sums
        sums[:, : other.sums.shape[1]] += other.sums
        return PairSums(
            sums,
            self.images + other.images,
            self.offsets + other.offsets,
            self.drawn + other.drawn,
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; of a kind of edges that does not occur nothing is written."""
        kinds = [[kind.tolist() if kind.any() else [] for kind in way] for way in self.offsets]
        return {
            "images": self.images,
            "sums": self.sums.tolist(),
            "drawn": self.drawn,
            "offsets": kinds if self.drawn else [],
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> PairSums:
        """Inverse of `as_dict`; ValueError if it is impossible."""
        sums = np.array(content["sums"], np.int64).reshape(3, -1)
        offsets = _nothing()
        for way, kinds in zip(offsets, content["offsets"], strict=False):
            for kind, counts in zip(way, kinds, strict=True):
                kind[:] = counts or 0
        images, drawn = int(content["images"]), int(content["drawn"])
        impossible = (sums < 0).any() or (sums[0] > sums[1:]).any() or (offsets < 0).any()
        if impossible or not 0 <= drawn <= images:
            raise ValueError(f"impossible counts of two workers: {dict(content)}")
        return cls(sums, images, offsets, drawn)

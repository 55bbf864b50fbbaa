"""Annotations whose pixels are class indices: a mask's file, and a worker who found nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.masks import Chunks, Classes, check_whole, open_png, read_header
from consolidation.objects.answers import LoadedAnswer
from consolidation.options import Options


@dataclass(frozen=True)
class MaskFile:
    """A worker's mask of class indices."""

    uri: str

    def load(self, options: Options) -> LoadedAnswer:
        """Read the file."""
        png = storage.read_bytes(self.uri, options.max_answer_bytes)
        # before its size is believed
        return IndexMask(png, check_whole(png))


@dataclass(frozen=True)
class BlankMask:
    """A worker who found nothing: all background, of whatever size the other masks have."""

    modified: bool | None = None
    colors: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def load(self, options: Options) -> LoadedAnswer:
        """Return itself: there is no file."""
        return self

    def size(self, options: Options) -> None:
        """No size of its own: it must not outvote the masks that there are."""

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write background into `out`."""
        out[...] = 0
        return []


@dataclass(frozen=True)
class IndexMask:
    """PNG bytes whose pixels are class indices."""

    png: bytes
    chunks: Chunks | None = None
    """Of the picture, where they are known to be whole; None for what is no PNG."""
    modified: bool | None = None

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """No colours: pixels are indices."""
        return {}

    def size(self, options: Options) -> tuple[int, int]:
        """Height and width."""
        header = read_header(self.png, options.max_pixels)
        return header.height, header.width

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out`; indices that are no class are ignored."""
        highest = open_png(self.png, options.max_pixels, self.chunks).read_indices(out)
        if highest < len(classes):
            return []
        beyond = out >= len(classes)
        warnings = []
        for index in np.unique(out[beyond]).tolist():
            pixels = int(np.count_nonzero(out == index))
            warnings.append(
                f"{pixels:,} pixels of index {index}, which is no class of this job, are ignored"
            )
        out[beyond] = ignore
        return warnings

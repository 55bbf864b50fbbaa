"""Shapes whose pixels a tool wrote in a code: run lengths of several kinds, or as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError
from consolidation.formats import rle
from consolidation.formats.shapes import Plane, cut
from consolidation.kernels import runs
from consolidation.text import shown


@dataclass(frozen=True, eq=False)
class Brush:
    """Brush of Label Studio: run lengths of the bits of an RGBA picture."""

    stream: NDArray[np.uint8]

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        if len(self.stream) == rle.PADDING:
            return None
        alpha, top, bottom = rle.decode_brush(self.stream, height, width)
        return Plane(alpha[top:bottom], top, 0) if bottom else None


@dataclass(frozen=True, eq=False)
class Runs:
    """Run lengths in a box of the image, row by row (CVAT).

    Attributes
    ----------
    text : str or list
        Lengths, outside first.
    top, left, height, width : int
    """

    text: Any
    top: int
    left: int
    height: int
    width: int

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        if self.height <= 0 or self.width <= 0:
            raise AnswerError(f"a mask of it has a box of {self.width} x {self.height} pixels")
        # boxes may stick out, but no farther than an image's size
        if self.height > 2 * height or self.width > 2 * width:
            raise AnswerError(
                f"a mask of it has a box of {self.width} x {self.height} pixels, the image "
                f"{width} x {height}"
            )
        area = self.height * self.width
        read = rle.parse_runs if isinstance(self.text, str) else rle.listed_runs
        out = np.zeros(area, np.uint8)
        runs.fill_runs(read(self.text, area), out)
        pixels = out.reshape(self.height, self.width)
        return cut(Plane(pixels, self.top, self.left), height, width)


@dataclass(frozen=True, eq=False)
class ColumnRuns:
    """Run lengths of the whole image, column by column (COCO).

    Attributes
    ----------
    counts : str or list
        Compressed or not; outside first.
    size : any
        Height and width as the file has them.
    """

    counts: Any
    size: Any

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        if self.size != [height, width]:
            listed = shown(self.size)
            raise AnswerError(f"a mask of it is of size {listed}, the image [{height}, {width}]")
        read = rle.compressed_runs if isinstance(self.counts, str) else rle.listed_runs
        out = np.zeros(height * width, np.uint8)
        first, last = runs.fill_runs(read(self.counts, height * width), out)
        if not last:
            return None
        left, right = first // height, -(-last // height)
        return Plane(out.reshape(width, height)[left:right], 0, left, transposed=True)


@dataclass(frozen=True, eq=False)
class DenseRuns:
    """The pixels of one value of a raster layer (Darwin)."""

    pairs: Any
    value: int

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        pairs = rle.dense_runs(self.pairs, height * width)
        out = np.zeros(height * width, np.uint8)
        first, last = runs.fill_dense(pairs, self.value, out)
        if not last:
            return None
        top, bottom = first // width, -(-last // width)
        return Plane(out.reshape(height, width)[top:bottom], top, 0)


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pixels (H, Wd) of the whole image, uint8: what is not 0."""

    values: NDArray[np.uint8]

    def plane(self, height: int, width: int) -> Plane | None:
        """See `Shape`."""
        if self.values.shape != (height, width):
            h, w = self.values.shape
            raise AnswerError(f"a mask of it has {w} x {h} pixels, the image {width} x {height}")
        return Plane(self.values, 0, 0)

"""One real pixel for each block of an image, so that a reduced copy shows nothing invented."""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import kernel


@kernel
def choose_pixels(labels, votes, rank, step, places):
    """Write the place of one pixel of each block: fewest votes, then lowest rank, then first.

    Parameters
    ----------
    labels : array (H, Wd)
    votes : array (H, Wd), uint8
    rank : array (K,), int64
        Of each label; labels beyond have rank 0.
    step : int
        Side of a block, in pixels; blocks at the lower and right edges may be cut.
    places : array (ceil(H / step), ceil(Wd / step)), int64, out
        Row times Wd plus column.
    """
    height, width = labels.shape
    for row in range(places.shape[0]):
        for column in range(places.shape[1]):
            least, chosen = types.int64(-1), types.int64(0)
            for y in range(row * step, min((row + 1) * step, height)):
                for x in range(column * step, min((column + 1) * step, width)):
                    label = types.int64(labels[y, x])
                    key = types.int64(votes[y, x]) << 32
                    if label < rank.size:
                        key += rank[label]
                    if least < 0 or key < least:
                        least, chosen = key, y * width + x
            places[row, column] = chosen


@kernel
def gather(values, places, out):
    """Write out[i] = values[places[i]]."""
    for i in range(places.size):
        out[i] = values[places[i]]

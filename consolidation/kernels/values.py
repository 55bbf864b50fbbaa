"""What the values of a mask look like: areas, as painted classes are, or ramps and noise."""

from __future__ import annotations

from consolidation.kernels._jit import kernel

SMALL_STEP = 2
"""Greatest difference of neighbours that a gradient has."""


@kernel
def survey(values, counts, solid, edges, changes):
    """Count pixels, solid places and borders, by value.

    Parameters
    ----------
    values : array (H, Wd), uint8 or uint16
    counts : array (V,), int64, in and out
        Pixels of each value.
    solid : array (V,), int64, in and out
        Squares of two by two pixels that all have the value.
    edges : array (V,), int64, in and out
        Pairs of neighbours, in a row or column, of which only one has the value.
    changes : array (3,), int64, in and out
        Pairs of neighbours; those that differ; those that differ by at most `SMALL_STEP`.
    """
    height, width = values.shape
    for row in range(height):
        below = row + 1 if row + 1 < height else row
        for column in range(width):
            value = values[row, column]
            beside = column + 1 if column + 1 < width else column
            counts[value] += 1
            right, under = values[row, beside], values[below, column]
            if right == value and under == value:
                # at the last row or column a pixel is its own neighbour
                inside = below != row and beside != column
                solid[value] += inside and values[below, beside] == value
                continue
            for other in (right, under):
                if other != value:
                    edges[value] += 1
                    edges[other] += 1
                    changes[1] += 1
                    step = other - value if other > value else value - other
                    changes[2] += step <= SMALL_STEP
    changes[0] += 2 * height * width - height - width

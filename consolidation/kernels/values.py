"""What the values of a mask look like: areas, as painted classes are, or ramps and noise."""

from __future__ import annotations

from consolidation.kernels._jit import kernel

SMALL_STEP = 2
"""Greatest difference of neighbours that a gradient has."""


@kernel
def survey(values, counts, solid, between, changes):
    """Count pixels, solid places and steps, by value.

    Parameters
    ----------
    values : array (H, Wd), uint8 or uint16
    counts : array (V,), int64, in and out
        Pixels of each value.
    solid : array (V,), int64, in and out
        Squares of two by two pixels that all have the value.
    between : array (V,), int64, in and out
        Pixels whose two neighbours in the row, or in the column, are less and greater.
    changes : array (3,), int64, in and out
        Pairs of neighbours; those that differ; those that differ by at most `SMALL_STEP`.
    """
    height, width = values.shape
    for row in range(height):
        # at the border a pixel is its own neighbour
        above = row - 1 if row > 0 else row
        below = row + 1 if row + 1 < height else row
        for column in range(width):
            value = values[row, column]
            before = column - 1 if column > 0 else column
            beside = column + 1 if column + 1 < width else column
            counts[value] += 1
            right, under = values[row, beside], values[below, column]
            if right == value and under == value:
                inside = below != row and beside != column
                solid[value] += inside and values[below, beside] == value
                continue
            left, over = values[row, before], values[above, column]
            steps = left < value < right or left > value > right
            between[value] += steps or over < value < under or over > value > under
            for other in (right, under):
                if other != value:
                    changes[1] += 1
                    step = other - value if other > value else value - other
                    changes[2] += step <= SMALL_STEP
    changes[0] += 2 * height * width - height - width

"""Outlines that every ray from a centre meets once: the cheapest closed one, exactly.

Dynamic programming over rays (Amini, Weymouth and Jain 1990): the radius may change by a few
steps from one ray to the next. The outline is closed because the first ray's radius is given.
"""

from __future__ import annotations

import math

from consolidation.kernels._jit import kernel


@kernel
def closed_outline(cost, fixed, reach, total, before, radii):
    """Cheapest radius on every ray.

    Parameters
    ----------
    cost : array (A, R), float32
        Of the outline's passing ray a at radius r.
    fixed : array (A,), int32
        The radius that a ray must have, or -1. The first ray's must be given.
    reach : int
        Largest change of the radius between neighbours, the last ray and the first included.
    total : array (2, R), float64
        Room to work in.
    before : array (A, R), int32
        Room to work in.
    radii : array (A,), int32, out
        Radius of each ray, one of ``0 .. R - 1``.

    Returns
    -------
    bool
        Whether there is such an outline; without one, `radii` is not written.
    """
    rays, steps = cost.shape
    for r in range(steps):
        total[0, r] = math.inf
    total[0, fixed[0]] = cost[0, fixed[0]]
    row = 0
    for a in range(1, rays):
        for r in range(steps):
            best, where = math.inf, -1
            if fixed[a] < 0 or fixed[a] == r:
                for q in range(max(0, r - reach), min(steps, r + reach + 1)):
                    if total[row, q] < best:
                        best, where = total[row, q], q
            total[1 - row, r] = best + cost[a, r]
            before[a, r] = where
        row = 1 - row
    best, where = math.inf, -1
    for r in range(max(0, fixed[0] - reach), min(steps, fixed[0] + reach + 1)):
        if total[row, r] < best:
            best, where = total[row, r], r
    if where < 0:
        return False
    for a in range(rays - 1, -1, -1):
        radii[a] = where
        where = before[a, where] if a > 0 else where
    return True

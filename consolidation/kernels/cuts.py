"""The smoothest fair division of a picture in two: total variation by primal and dual steps.

Minimises the sum over pixels of ``pull * share`` plus, over neighbours, ``grip * |difference of
shares|``, shares between 0 and 1 (Chan, Esedoglu and Nikolova 2006: its half is a minimum cut;
Chambolle and Pock 2011, algorithm 1 with diagonal steps: Pock and Chambolle 2011).
"""

from __future__ import annotations

from consolidation.kernels._jit import kernel


@kernel
def divide(pull, grip_down, grip_right, rounds, down, right, share):
    """Shares after so many rounds.

    Parameters
    ----------
    pull : array (h, w), float32
        Negative where a pixel should get share 1.
    grip_down, grip_right : arrays (h, w), float32
        How much a pixel and the one below, or to the right, hold together; last row, last
        column: 0.
    rounds : int
    down, right : arrays (h, w), float32
        The forces between neighbours; zeros at first.
    share : array (h, w), float32
        The first guess; the result.
    """
    h, w = pull.shape
    f = pull.dtype.type
    half, quarter = f(0.5), f(0.25)
    zero, unit = f(0.0), f(1.0)
    for _ in range(rounds):
        # shares move along the forces; the step beyond is what the forces then see
        for i in range(h):
            for j in range(w):
                force = pull[i, j] - down[i, j] - right[i, j]
                if i > 0:
                    force += down[i - 1, j]
                if j > 0:
                    force += right[i, j - 1]
                moved = min(max(share[i, j] - quarter * force, zero), unit)
                ahead = moved + moved - share[i, j]
                share[i, j] = moved
                # forces to what lies above and left: their other end has moved already
                if i > 0:
                    g = grip_down[i - 1, j]
                    down[i - 1, j] = min(max(down[i - 1, j] + half * (ahead - share[i - 1, j]), -g), g)
                if j > 0:
                    g = grip_right[i, j - 1]
                    right[i, j - 1] = min(max(right[i, j - 1] + half * (ahead - share[i, j - 1]), -g), g)

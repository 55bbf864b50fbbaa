"""The smoothest fair division of a picture in two: total variation by primal and dual steps.

Minimises the sum over pixels of ``pull * share`` plus, over neighbours, ``grip * |difference of
shares|``, shares between 0 and 1 (Chan, Esedoglu and Nikolova 2006: its half is a minimum cut;
Chambolle and Pock 2011, algorithm 1 with diagonal steps: Pock and Chambolle 2011).
"""

from __future__ import annotations

from consolidation.kernels._jit import kernel


@kernel
def divide(pull, grip_down, grip_right, rounds, down, right, ahead, share):
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
    ahead : array (h, w), float32
        Room to work in.
    share : array (h, w), float32
        The first guess; the result.
    """
    h, w = pull.shape
    f = pull.dtype.type
    step, force, zero, unit = f(0.25), f(0.5), f(0.0), f(1.0)
    for _ in range(rounds):
        # shares move along the forces; the forces then see where they would be a step further on
        for i in range(h):
            above, here, aside = down[max(i - 1, 0)], down[i], right[i]
            push, row, then = pull[i], share[i], ahead[i]
            first = zero if i == 0 else unit
            for j in range(w):
                then[j] = push[j] + here[j] + aside[j] - first * above[j]
            for j in range(1, w):
                then[j] -= aside[j - 1]
            for j in range(w):
                moved = min(max(row[j] - step * then[j], zero), unit)
                then[j] = moved + moved - row[j]
                row[j] = moved
        for i in range(h):
            then, below = ahead[i], ahead[min(i + 1, h - 1)]
            vertical, grip = down[i], grip_down[i]
            for j in range(w):
                drawn = vertical[j] + force * (then[j] - below[j])
                vertical[j] = min(max(drawn, -grip[j]), grip[j])
            sideways, grip = right[i], grip_right[i]
            for j in range(w - 1):
                drawn = sideways[j] + force * (then[j] - then[j + 1])
                sideways[j] = min(max(drawn, -grip[j]), grip[j])

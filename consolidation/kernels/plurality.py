"""The hard vote: a sorting network in vector registers.

Per block of `LANES` pixels the labels of all workers are loaded into registers and sorted by
Batcher's odd-even merge network (Knuth, TAOCP vol. 3, 5.3.4), one unsigned min and max a
comparator. Equal labels are then neighbours, and one scan for the longest run finds the winner;
the first of equally long runs is the lowest class, so ties need no further work. There are no
branches, the cost does not depend on the number of classes, and up to ten workers the kernel
waits for memory.

The number of workers is the length of the tuple of rows, hence
part of the signature: one small function is compiled for each number of workers that is used.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, Lanes

MAX_NETWORK_WORKERS = 32
"""Beyond, the network's code grows faster than its use; `class_counts` takes over."""


def comparators(n: int) -> list[tuple[int, int]]:
    """Comparators (low, high) of Batcher's odd-even merge sort for `n` values, in order."""
    pairs = []
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                pairs += [
                    (i, i + k)
                    for i in range(j, j + min(k, n - j - k))
                    if i // (2 * p) == (i + k) // (2 * p)
                ]
            k //= 2
        p *= 2
    return pairs


@intrinsic(prefer_literal=True)
def _vote_block(typing_context, rows, start, ignore, labels, votes, tied, highest, lanes):
    """Vote on the `lanes` pixels from `start` on. `ignore` is None or a label that is no vote."""
    n_workers = len(rows)
    row_type = rows.dtype
    bits = row_type.dtype.bitwidth
    ignoring = not isinstance(ignore, types.NoneType)
    # `lanes` stays a literal in the signature, or numba would share one body among all widths
    signature = types.void(rows, types.intp, ignore, labels, votes, tied, highest, lanes)

    def codegen(context, builder, _signature, arguments):
        rows_, start_, ignore_, labels_, votes_, tied_, highest_, _ = arguments
        v = Lanes(context, builder, lanes.literal_value, bits, start_)
        unit = ir.Constant(v.byte, [1] * v.lanes)
        none = ir.Constant(v.byte, [0] * v.lanes)
        x = [v.load(row_type, row, v.label) for row in cgutils.unpack_tuple(builder, rows_)]
        for low, high in comparators(n_workers):
            a, b = x[low], x[high]
            x[low], x[high] = v.minmax("umin", a, b), v.minmax("umax", a, b)

        at_zero = ir.Constant(ir.IntType(64), 0)
        top = v.load(highest, highest_, v.label, at_zero)
        run = best = unit
        tie = v.false
        label = x[0]
        if ignoring:
            nothing = v.splat(ignore_, v.label)
            zero_label = ir.Constant(v.label, [0] * v.lanes)
            ignored = [builder.icmp_unsigned("==", xi, nothing) for xi in x]
            run = best = builder.select(ignored[0], none, unit)
            for xi, ig in zip(x, ignored, strict=True):
                top = v.minmax("umax", top, builder.select(ig, zero_label, xi))
        else:
            top = v.minmax("umax", top, x[-1])
        for i in range(1, n_workers):
            same = builder.icmp_unsigned("==", x[i], x[i - 1])
            run = builder.select(same, builder.add(run, unit), unit)
            if ignoring:
                run = builder.select(ignored[i], none, run)
            better = builder.icmp_unsigned(">", run, best)
            equal = builder.icmp_unsigned("==", run, best)
            if ignoring:
                equal = builder.and_(equal, builder.not_(ignored[i]))
            best = v.minmax("umax", best, run)
            label = builder.select(better, x[i], label)
            tie = builder.and_(builder.or_(tie, equal), builder.not_(better))

        v.store(label, labels, labels_)
        v.store(best, votes, votes_)
        v.store(builder.zext(tie, v.byte), tied, tied_)
        v.store(top, highest, highest_, at_zero)
        return context.get_dummy_value()

    return signature, codegen


@kernel
def plurality(rows, ignore, labels, votes, tied, highest):
    """Winner, its count and whether it was tied, for every pixel.

    Parameters
    ----------
    rows : tuple of W arrays (N,), uint8 or uint16, C-contiguous, W <= MAX_NETWORK_WORKERS
        One mask a worker.
    ignore : None or scalar of the rows' dtype
        A label that is no vote.
    labels : array (N,), dtype of the rows, out
        Class with most votes, the lowest of them where several have; `ignore` where nobody voted.
    votes : array (N,), uint8, out
        Workers who voted for that class.
    tied : array (N,), bool, out
        Whether another class has as many votes.
    highest : array (LANES,), dtype of the rows, in and out
        Its maximum over the lanes becomes the highest class seen. Start with zeros.
    """
    n = labels.size
    blocks = n - n % LANES
    for start in range(0, blocks, LANES):
        _vote_block(rows, start, ignore, labels, votes, tied, highest, LANES)
    for start in range(blocks, n):
        _vote_block(rows, start, ignore, labels, votes, tied, highest, 1)

"""Votes around 64 pixels of a row at once: a ring of the masks' rows, and sums over its windows.

Rows are copied into a small ring with margins, so that a window never leaves it.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, Lanes


@intrinsic
def _add_row(typing_context, ring, start, label, window, first_tap, n_taps, sums):
    """Add to sums (64,) uint16 tap d of the row where ring[start + i + d] is `label`."""
    integer = types.intp
    signature = types.void(ring, integer, types.int64, window, integer, integer, sums)

    def codegen(context, builder, _signature, arguments):
        ring_, start_, label_, window_, first_tap_, n_taps_, sums_ = arguments
        v = Lanes(context, builder, LANES, ring.dtype.bitwidth, start_)
        word = v.vector(16)
        zero = ir.Constant(word, [0] * LANES)
        first = ir.Constant(start_.type, 0)
        taps = context.make_array(window)(context, builder, window_).data
        wanted = v.splat(builder.trunc(label_, v.label.element), v.label)
        total = cgutils.alloca_once_value(builder, v.load(sums, sums_, word, first))
        with cgutils.for_range(builder, n_taps_) as loop:
            labels = v.load(ring, ring_, v.label, builder.add(start_, loop.index))
            at = builder.add(first_tap_, loop.index)
            tap = v.splat(builder.load(builder.gep(taps, [at])), word)
            same = builder.icmp_unsigned("==", labels, wanted)
            added = builder.select(same, tap, zero)
            builder.store(builder.add(builder.load(total), added), total)
        v.store(builder.load(total), sums, sums_, first)
        return context.get_dummy_value()

    return signature, codegen


@kernel
def load_rows(masks, ring, loaded, y, radius, pitch):
    """Copy the rows of the window around y that the ring lacks; return the last row it has."""
    n_workers, height, width = masks.shape
    n_rows = 2 * radius + 1
    last = min(y + radius, height - 1)
    for row in range(max(loaded + 1, y - radius, 0), last + 1):
        for w in range(n_workers):
            start = (w * n_rows + row % n_rows) * pitch + radius
            target, source = ring[start : start + width], masks[w, row]
            for i in range(width):
                target[i] = source[i]
    return max(loaded, last)


@kernel
def count_own(ring, here, n_workers, stride, label, count):
    """Votes that each of 64 pixels itself gives a class."""
    # of the masks' own type: registers then hold 64 labels, not 8
    wanted = ring.dtype.type(label)
    for i in range(LANES):
        count[i] = 0
    for w in range(n_workers):
        row = ring[here + w * stride : here + w * stride + LANES]
        for i in range(LANES):
            count[i] += row[i] == wanted


@kernel
def weigh_own(ring, here, stride, label, weights, own):
    """Weight that each of 64 pixels itself gives a class."""
    wanted = ring.dtype.type(label)
    for i in range(LANES):
        own[i] = 0
    for w in range(weights.size):
        row = ring[here + w * stride : here + w * stride + LANES]
        weight = weights[w]
        for i in range(LANES):
            own[i] += weight if row[i] == wanted else 0


@kernel
def window_sums(ring, pitch, rows, y, x, label, weights, taps, n_rows, sums, score):
    """Weighted votes for a class in the windows around 64 pixels."""
    top, bottom = rows
    radius = n_rows // 2
    first = top % n_rows
    for i in range(LANES):
        score[i] = 0
    for w in range(weights.size):
        for i in range(LANES):
            sums[i] = 0
        slot = first
        for row in range(top, bottom):
            start = (w * n_rows + slot) * pitch + x
            _add_row(ring, start, label, taps, (row - y + radius) * n_rows, n_rows, sums)
            slot = slot + 1 if slot + 1 < n_rows else 0
        weight = weights[w]
        for i in range(LANES):
            score[i] += weight * sums[i]

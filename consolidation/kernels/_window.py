"""Votes around a few pixels of a row at once: sums over the windows of `GROUP` pixels.

The votes of one row of the windows are counted first, for two classes at once, as votes for the one
minus votes for the other; then every pixel adds up what lies in its own window.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import part
from consolidation.kernels._lanes import LANES, PIECE, Lanes, copy_piece

GROUP = 16
"""Pixels decided at once: with a window's margins on both sides they fit `LANES`, and `PIECE` where
the margins are 8 at most."""


@intrinsic
def count_row(typing_context, labels, start, stride, weights, plus, minus, both, sums, first):
    """Write votes of PIECE pixels: sums[first + i] = sum of weights of those for `plus`.

    Worker w's label of pixel i is labels[start + w * stride + i]. Weights are int16, sums too; with
    `both`, the weights of those for `minus` are taken off.
    """
    integer = types.intp
    signature = types.void(
        labels, integer, integer, weights, types.int64, types.int64, types.boolean, sums, integer
    )

    def codegen(context, builder, _signature, arguments):
        labels_, start_, stride_, weights_, plus_, minus_, both_, sums_, first_ = arguments
        v = Lanes(context, builder, PIECE, labels.dtype.bitwidth, start_)
        word = v.vector(16)
        zero = ir.Constant(word, [0] * PIECE)
        weights_ = context.make_array(weights)(context, builder, weights_)
        n_workers = builder.extract_value(weights_.shape, 0)
        wanted, unwanted = (
            v.splat(builder.trunc(label, v.label.element), v.label) for label in (plus_, minus_)
        )
        total = cgutils.alloca_once_value(builder, zero)
        position = cgutils.alloca_once_value(builder, start_)

        def count(subtract):
            builder.store(zero, total)
            builder.store(start_, position)
            with cgutils.for_range(builder, n_workers) as loop:
                at = builder.load(position)
                row = v.load(labels, labels_, v.label, at)
                weight = v.splat(builder.load(builder.gep(weights_.data, [loop.index])), word)
                own = builder.select(builder.icmp_unsigned("==", row, wanted), weight, zero)
                value = builder.add(builder.load(total), own)
                if subtract:
                    other = builder.icmp_unsigned("==", row, unwanted)
                    value = builder.sub(value, builder.select(other, weight, zero))
                builder.store(value, total)
                builder.store(builder.add(at, stride_), position)

        with builder.if_else(both_) as (then, otherwise):
            with then:
                count(True)
            with otherwise:
                count(False)
        v.store(builder.load(total), sums, sums_, first_)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _add_taps(typing_context, sums, first, taps, first_tap, n_taps, score):
    """Add to score (GROUP,) int32 what a row of windows holds: sum of taps[d] * sums[i + d]."""
    integer = types.intp
    signature = types.void(sums, integer, taps, integer, integer, score)

    def codegen(context, builder, _signature, arguments):
        sums_, first_, taps_, first_tap_, n_taps_, score_ = arguments
        v = Lanes(context, builder, GROUP, 16, first_)
        wide = v.vector(32)
        zero = ir.Constant(first_.type, 0)
        data = context.make_array(taps)(context, builder, taps_).data
        total = cgutils.alloca_once_value(builder, v.load(score, score_, wide, zero))
        with cgutils.for_range(builder, n_taps_) as loop:
            row = v.load(sums, sums_, v.label, builder.add(first_, loop.index))
            at = builder.add(first_tap_, loop.index)
            tap = v.splat(builder.load(builder.gep(data, [at])), wide)
            added = builder.mul(builder.sext(row, wide), tap)
            builder.store(builder.add(builder.load(total), added), total)
        v.store(builder.load(total), score, score_, zero)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def challenge(typing_context, score, enough, label, draws, best, chosen):
    """Let a class win where it scores higher: all arrays (GROUP,) int32.

    Parameters
    ----------
    score : array
        The class's score.
    enough : uint64
        Bits of the pixels where the class may win.
    label : int
    draws : bool
        Whether a pixel that scores the best score once more gets -1, until a class scores higher;
        else it stays with the class that came first.
    best, chosen : arrays, in and out
    """
    signature = types.void(score, types.uint64, types.int64, types.boolean, best, chosen)

    def codegen(context, builder, _signature, arguments):
        score_, enough_, label_, draws_, best_, chosen_ = arguments
        first = ir.Constant(ir.IntType(64), 0)
        v = Lanes(context, builder, GROUP, 32, first)
        mask = builder.trunc(enough_, ir.IntType(GROUP))
        may_win = builder.bitcast(mask, v.vector(1))
        new, old = (v.load(score, array, v.label) for array in (score_, best_))
        better = builder.and_(may_win, builder.icmp_signed(">", new, old))
        draw = builder.and_(may_win, builder.icmp_signed("==", new, old))
        draw = builder.and_(draw, v.splat(builder.trunc(draws_, ir.IntType(1)), v.vector(1)))
        kept = v.load(chosen, chosen_, v.label)
        nobody = ir.Constant(v.label, [-1] * GROUP)
        kept = builder.select(draw, nobody, kept)
        name = v.splat(builder.trunc(label_, v.label.element), v.label)
        v.store(builder.select(better, name, kept), chosen, chosen_)
        v.store(builder.select(better, new, old), best, best_)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def differing(typing_context, labels, start, chosen):
    """Bit i of the result: labels[start + i] != chosen[i], for arrays (N,) and (GROUP,) int32."""
    signature = types.uint64(labels, types.intp, chosen)

    def codegen(context, builder, _signature, arguments):
        labels_, start_, chosen_ = arguments
        v = Lanes(context, builder, GROUP, labels.dtype.bitwidth, start_)
        wide = v.vector(32)
        row = builder.zext(v.load(labels, labels_, v.label), wide)
        other = v.load(chosen, chosen_, wide, ir.Constant(start_.type, 0))
        bits = builder.bitcast(builder.icmp_unsigned("!=", row, other), ir.IntType(GROUP))
        return builder.zext(bits, ir.IntType(64))

    return signature, codegen


@part
def window_votes(tile, n_rows, first_row, weights, plus, minus, taps, sums, score):
    """Votes for a class in the windows around GROUP pixels, or by how many two classes differ.

    Parameters
    ----------
    tile : array (W * n * LANES,)
        As from `load_tile`.
    n_rows, first_row : int
        Rows of the window that the tile has, and which row of the window comes first.
    weights : array (W,), int16
    plus, minus : int
        Classes; `minus` is -1 for none.
    taps : array (n * n,), int32
        The window.
    sums : array (n * LANES,), int16, scratch
    score : array (GROUP,), int32, out
        Sum of taps times weights of the votes for `plus` less those for `minus`.
    """
    side = sums.size // LANES
    for row in range(n_rows):
        for at in range(row * LANES, row * LANES + GROUP + side - 1, PIECE):
            count_row(tile, at, side * LANES, weights, plus, minus, minus >= 0, sums, at)
    score[:] = 0
    for row in range(n_rows):
        _add_taps(sums, row * LANES, taps, (first_row + row) * side, side, score)


@part
def load_tile(masks, tile, outside, n_workers, height, width, y, x, radius):
    """Copy the windows of GROUP pixels from (y, x) on; whether they leave the image.

    Parameters
    ----------
    masks : array (W * H * Wd,)
    tile : array (W * (2 r + 1) * LANES,), out
        A row of `LANES` for each worker and row of the windows, from the topmost that there is on;
        what lies beside the image gets `outside`.
    """
    side, left, top = 2 * radius + 1, x - radius, max(y - radius, 0)
    n_rows = min(y + radius + 1, height) - top
    inside = left >= 0 and x + GROUP + radius <= width
    end = ((n_workers - 1) * height + top + n_rows - 1) * width + left + LANES
    whole = inside and end <= masks.size
    needed = GROUP + side - 1
    first, last = max(-left, 0), min(GROUP + radius, width - x) + radius
    for w in range(n_workers):
        for row in range(n_rows):
            target = (w * side + row) * LANES
            start = (w * height + top + row) * width + left
            if whole:
                for i in range(0, needed, PIECE):
                    copy_piece(masks, start + i, tile, target + i)
                continue
            for i in range(first):
                tile[target + i] = outside
            for i in range(first, last):
                tile[target + i] = masks[start + i]
            for i in range(last, LANES):
                tile[target + i] = outside
    return not inside

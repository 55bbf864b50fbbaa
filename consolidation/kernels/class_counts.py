"""Votes of any number of workers, counted by class in registers of 64 pixels.

A block of 64 pixels of a mask mostly holds one class or two. For each worker and each class that
the worker gave the block, one comparison of 64 labels is added to that class's counts. So the work
grows with the workers and with the classes that each gave a block, not with those of the picture.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, Lanes, lowest_bit
from consolidation.kernels._words import equals, fill_block

MOST = 256
"""Classes of a block beyond which it is counted pixel by pixel."""


@intrinsic
def _count_equal(typing_context, labels, start, label, counts, offset):
    """Add 1 to counts[offset + i] where labels[start + i] is `label`; the bits of those pixels."""
    signature = types.uint64(labels, types.intp, labels.dtype, counts, types.intp)

    def codegen(context, builder, _signature, arguments):
        labels_, start_, label_, counts_, place_ = arguments
        v = Lanes(context, builder, LANES, labels.dtype.bitwidth, start_)
        same = builder.icmp_unsigned(
            "==", v.load(labels, labels_, v.label), v.splat(label_, v.label)
        )
        before = v.load(counts, counts_, v.byte, place_)
        v.store(builder.add(before, builder.zext(same, v.byte)), counts, counts_, place_)
        return builder.bitcast(same, ir.IntType(64))

    return signature, codegen


@intrinsic
def _challenge(typing_context, counts, offset, label, labels, votes, tied, start):
    """Let a class, higher than all before it, compete for 64 pixels with its counts."""
    signature = types.void(counts, types.intp, labels.dtype, labels, votes, tied, types.intp)

    def codegen(context, builder, _signature, arguments):
        counts_, place_, label_, labels_, votes_, tied_, start_ = arguments
        v = Lanes(context, builder, LANES, labels.dtype.bitwidth, start_)
        count = v.load(counts, counts_, v.byte, place_)
        best = v.load(votes, votes_, v.byte)
        none = ir.Constant(v.byte, [0] * LANES)
        better = builder.icmp_unsigned(">", count, best)
        drawn = builder.and_(
            builder.icmp_unsigned("==", count, best), builder.icmp_unsigned("!=", count, none)
        )
        was_tied = builder.icmp_unsigned("!=", v.load(tied, tied_, v.byte), none)
        tie = builder.and_(builder.or_(was_tied, drawn), builder.not_(better))
        chosen = builder.select(better, v.splat(label_, v.label), v.load(labels, labels_, v.label))
        v.store(chosen, labels, labels_)
        v.store(v.minmax("umax", best, count), votes, votes_)
        v.store(builder.zext(tie, v.byte), tied, tied_)
        return context.get_dummy_value()

    return signature, codegen


@kernel
def count_block(masks, n, n_workers, start, ignore, known, counts, places):
    """Count the labels of 64 pixels by class.

    Parameters
    ----------
    masks : array (W * N,)
        One mask after another, each of `n` pixels.
    start : int
        First of the pixels.
    ignore : int
        A label that is no vote; -1 for none.
    known : array (MOST,), int64, out
        Classes met, ascending.
    counts : array (MOST * 64,), uint8, out
        Votes for each, at its place.
    places : array (65536,), int16, in and out
        Place of each class of `known`, -1 for others; `forget` clears it.

    Returns
    -------
    int
        Number of classes; -1 where they are more than MOST.
    """
    n_known = 0
    for w in range(n_workers):
        at = w * n + start
        rest = ~types.uint64(0)
        if ignore >= 0:
            rest &= ~equals(masks, at, masks.dtype.type(ignore))
        while rest != 0:
            label = masks[at + lowest_bit(rest)]
            row = types.int64(places[label])
            if row < 0:
                if n_known == MOST:
                    forget(known, n_known, places)
                    return -1
                row = n_known
                places[label] = row
                known[row] = label
                fill_block(counts, row * LANES, 0)
                n_known += 1
            rest &= ~_count_equal(masks, at, label, counts, row * LANES)
    for i in range(1, n_known):
        label, at = known[i], i
        while at > 0 and known[at - 1] > label:
            known[at] = known[at - 1]
            at -= 1
        known[at] = label
    return n_known


@kernel
def forget(known, n_known, places):
    """Clear the places of the classes known."""
    for i in range(n_known):
        places[known[i]] = -1


@kernel
def plurality_many(
    masks, ignore, labels, votes, tied, highest, known, counts, places, pixel_counts
):
    """`plurality` for any number of workers up to 255.

    Parameters
    ----------
    masks : array (W, N)
        One mask a worker.
    ignore : int
        A label that is no vote; -1 for none.
    labels, votes, tied, highest
        As for `plurality`.
    known, counts, places
        As for `count_block`, scratch.
    pixel_counts : array (65536,), uint8, scratch
        Zeros, and zeros again afterwards.
    """
    n_workers, n = masks.shape
    flat = masks.reshape(-1)
    flags = tied.view(votes.dtype)
    nothing = masks.dtype.type(max(ignore, 0))
    blocks = n - n % LANES
    for start in range(0, blocks, LANES):
        n_known = count_block(flat, n, n_workers, start, ignore, known, counts, places)
        if n_known < 0:
            _count_pixels(
                flat, n, start, start + LANES, ignore, labels, votes, tied, highest, pixel_counts
            )
            continue
        fill_block(labels, start, nothing)
        fill_block(votes, start, 0)
        fill_block(flags, start, 0)
        for i in range(n_known):
            label = known[i]
            offset = types.int64(places[label]) * LANES
            _challenge(counts, offset, labels.dtype.type(label), labels, votes, flags, start)
        forget(known, n_known, places)
        if n_known > 0:
            highest[0] = max(highest[0], known[n_known - 1])
    _count_pixels(flat, n, blocks, n, ignore, labels, votes, tied, highest, pixel_counts)


@kernel
def _count_pixels(masks, n, start, end, ignore, labels, votes, tied, highest, counts):
    """Vote pixel by pixel."""
    n_workers = masks.size // n
    for p in range(start, end):
        for w in range(n_workers):
            counts[masks[w * n + p]] += 1
        best_label, best, ties = masks[p], 0, False
        for w in range(n_workers):
            label = masks[w * n + p]
            if label == ignore:
                continue
            count = counts[label]
            if count > best:
                best_label, best, ties = label, count, False
            elif count == best and label != best_label:
                best_label, ties = min(label, best_label), True
        for w in range(n_workers):
            label = masks[w * n + p]
            counts[label] = 0
            if label != ignore:
                highest[0] = max(highest[0], label)
        labels[p], votes[p], tied[p] = best_label, best, ties

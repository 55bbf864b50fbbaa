"""Colours to class indices: by palette index, or by colour with a small hash table."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, Lanes

MAX_COMPARED = 48
"""Up to so many values, comparing a whole register with each is quicker than looking up."""


@intrinsic(prefer_literal=True)
def _select_block(typing_context, indices, start, table, length, out, lanes):
    """Write out[start + i] = table[indices[start + i]] by comparing with 0 .. length - 1."""
    signature = types.void(indices, types.intp, table, types.intp, out, lanes)

    def codegen(context, builder, _signature, arguments):
        indices_, start_, table_, length_, out_, _ = arguments
        v = Lanes(context, builder, lanes.literal_value, table.dtype.bitwidth, start_)
        index = v.load(indices, indices_, v.byte)
        values = context.make_array(table)(context, builder, table_).data
        chosen = cgutils.alloca_once_value(builder, ir.Constant(v.label, [0] * v.lanes))
        with cgutils.for_range(builder, length_) as loop:
            wanted = v.splat(builder.trunc(loop.index, ir.IntType(8)), v.byte)
            value = v.splat(builder.load(builder.gep(values, [loop.index])), v.label)
            same = builder.icmp_unsigned("==", index, wanted)
            builder.store(builder.select(same, value, builder.load(chosen)), chosen)
        v.store(builder.load(chosen), out, out_)
        return context.get_dummy_value()

    return signature, codegen


@kernel
def lookup(indices, table, length, out):
    """Write out[p] = table[indices[p]].

    Parameters
    ----------
    indices : array (N,), uint8
    table : array (256,), uint8 or uint16
        Zeros from `length` on.
    length : int
    out : array (N,), dtype of the table, out
    """
    n = indices.size
    done = 0
    if length <= MAX_COMPARED:
        done = n - n % LANES
        for start in range(0, done, LANES):
            _select_block(indices, start, table, length, out, LANES)
    for p in range(done, n):
        out[p] = table[indices[p]]


@kernel
def histogram(indices, counts):
    """Count indices (N,): counts int64, one more than the highest at least, in and out."""
    for p in range(indices.size):
        counts[indices[p]] += 1


@kernel
def free_slot(keys, key):
    """Slot of `key` in an open-addressed table of keys, or the free one where it belongs."""
    last = types.uint64(keys.size - 1)
    mixed = types.uint64(key) * types.uint64(0x9E3779B97F4A7C15)
    slot = (mixed >> types.uint64(32)) & last
    while keys[slot] >= 0 and keys[slot] != key:
        slot = (slot + types.uint64(1)) & last
    return types.int64(slot)


@kernel
def map_colors(colors, start, keys, table, counts, out):
    """Write the value of each pixel's colour, and count pixels by colour.

    Parameters
    ----------
    colors : array (N, 3 or 4), uint8
        RGB or RGBA.
    start : int
        First pixel.
    keys : array (size a power of two,), int64
        Known colours as R + 256 G + 65536 B + 16777216 A; -1 is free.
    table : array (size,), dtype of `out`
        Value of each colour.
    counts : array (size,), int64, in and out
    out : array (N,), out

    Returns
    -------
    (int, int)
        N and 0, or the first pixel whose colour is not known and the slot where it belongs.
    """
    n, channels = colors.shape
    last_key, slot = types.int64(-1), types.int64(0)
    run_start = start
    value = table[0]
    for p in range(start, n):
        key = types.int64(colors[p, 0]) | types.int64(colors[p, 1]) << 8
        key |= types.int64(colors[p, 2]) << 16
        key |= types.int64(colors[p, 3]) << 24 if channels == 4 else types.int64(255) << 24
        if key != last_key:
            if last_key >= 0:
                counts[slot] += p - run_start
            run_start = p
            last_key = key
            slot = free_slot(keys, key)
            if keys[slot] != key:
                return p, slot
            value = table[slot]
        out[p] = value
    if last_key >= 0:
        counts[slot] += n - run_start
    return n, types.int64(0)

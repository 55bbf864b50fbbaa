"""Rows of a PNG of 1, 2, 4 or 8 bits a pixel to bytes: the samples, or what a table makes of them.

In registers of 64 pixels: bits are spread by shifts and interleaving, a table of a few values is
looked up by comparing with each, and the highest sample is kept, all without leaving them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import kernel
from consolidation.kernels._lanes import LANES, Lanes
from consolidation.kernels._words import count_bits
from consolidation.kernels.colors import MAX_COMPARED

DEPTHS = (1, 2, 4, 8)


def _bytes_from(v: Any, array_type: Any, array: Any, n: int) -> Any:
    """Vector of `n` bytes."""
    return v.load(array_type, array, ir.VectorType(ir.IntType(8), n))


def _halved(v: Any, samples: Any, bits: int) -> Any:
    """Each of n bytes of two samples of `bits` bits as two bytes, the upper sample first."""
    n = samples.type.count
    constant = ir.Constant(samples.type, [bits] * n)
    upper = v.builder.lshr(samples, constant)
    lower = v.builder.and_(samples, ir.Constant(samples.type, [(1 << bits) - 1] * n))
    order = [place for i in range(n) for place in (i, n + i)]
    mask = ir.Constant(ir.VectorType(ir.IntType(32), 2 * n), order)
    return v.builder.shuffle_vector(upper, lower, mask)


def _samples(v: Any, array_type: Any, array: Any, depth: int) -> Any:
    """64 samples of `depth` bits as a vector of bytes."""
    builder = v.builder
    packed = _bytes_from(v, array_type, array, LANES * depth // 8)
    if depth == 1:
        signature = ir.FunctionType(packed.type, [packed.type])
        name = "llvm.bitreverse.v8i8"
        reverse = cgutils.get_or_insert_function(builder.module, signature, name)
        bits = builder.bitcast(builder.call(reverse, [packed]), v.vector(1))
        return builder.zext(bits, v.byte)
    bits = 4
    while bits >= depth:
        packed = _halved(v, packed, bits)
        bits //= 2
    return packed


@intrinsic(prefer_literal=True)
def _spread_block(typing_context, buffer, start, depth, out, place, highest):
    """Write 64 samples, packed from buffer[start] on, to out[place:]; raise `highest` (64,)."""
    signature = types.void(buffer, types.intp, depth, out, types.intp, highest)
    bits = depth.literal_value

    def codegen(context, builder, _signature, arguments):
        buffer_, start_, _, out_, place_, highest_ = arguments
        v = Lanes(context, builder, LANES, 8, start_)
        samples = _samples(v, buffer, buffer_, bits)
        wide = builder.zext(samples, v.vector(out.dtype.bitwidth))
        v.store(wide, out, out_, place_)
        _raise(v, samples, highest, highest_)
        return context.get_dummy_value()

    return signature, codegen


def _raise(v: Any, samples: Any, highest_type: Any, highest: Any) -> None:
    zero = ir.Constant(v.start.type, 0)
    top = v.load(highest_type, highest, v.byte, zero)
    v.store(v.minmax("umax", top, samples), highest_type, highest, zero)


@intrinsic(prefer_literal=True)
def _select_block(typing_context, buffer, start, depth, table, length, out, place, highest):
    """Write table[sample] for 64 samples by comparing with 0 .. length - 1."""
    signature = types.void(buffer, types.intp, depth, table, types.intp, out, types.intp, highest)
    bits = depth.literal_value

    def codegen(context, builder, _signature, arguments):
        buffer_, start_, _, table_, length_, out_, place_, highest_ = arguments
        v = Lanes(context, builder, LANES, table.dtype.bitwidth, start_)
        samples = _samples(v, buffer, buffer_, bits)
        values = context.make_array(table)(context, builder, table_).data
        chosen = cgutils.alloca_once_value(builder, ir.Constant(v.label, [0] * LANES))
        with cgutils.for_range(builder, length_) as loop:
            wanted = v.splat(builder.trunc(loop.index, ir.IntType(8)), v.byte)
            value = v.splat(builder.load(builder.gep(values, [loop.index])), v.label)
            same = builder.icmp_unsigned("==", samples, wanted)
            builder.store(builder.select(same, value, builder.load(chosen)), chosen)
        v.store(builder.load(chosen), out, out_, place_)
        _raise(v, samples, highest, highest_)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def _equal_samples(typing_context, buffer, start, depth, wanted):
    """Bit i of the result: sample i of 64 is `wanted`."""
    signature = types.uint64(buffer, types.intp, depth, types.uint8)
    bits = depth.literal_value

    def codegen(context, builder, _signature, arguments):
        buffer_, start_, _, wanted_ = arguments
        v = Lanes(context, builder, LANES, 8, start_)
        samples = _samples(v, buffer, buffer_, bits)
        same = builder.icmp_unsigned("==", samples, v.splat(wanted_, v.byte))
        return builder.bitcast(same, ir.IntType(64))

    return signature, codegen


@kernel
def _sample(buffer, first, x, depth):
    """Sample of pixel x of a row that begins at buffer[first]."""
    bit = x * depth
    shift = 8 - depth - (bit & 7)
    return (types.int64(buffer[first + (bit >> 3)]) >> shift) & ((1 << depth) - 1)


@kernel
def unpack(buffer, start, line, depth, out, highest):
    """Write the samples of rows of a PNG.

    Parameters
    ----------
    buffer : array (B,), uint8
        From `start` on, for each row of `out`, `line` bytes, of which the first is left out.
    start, line : int
    depth : int
        Bits a sample: 1, 2, 4 or 8.
    out : array (R, Wd), uint8 or uint16, out
        line > Wd * depth / 8, rounded up.
    highest : array (64,), uint8, in and out
        Its maximum becomes the highest sample. Begin with zeros.
    """
    height, width = out.shape
    blocks = width - width % LANES
    for row in range(height):
        first = start + row * line + 1
        target = out[row]
        for x in range(0, blocks, LANES):
            place = first + (x * depth >> 3)
            if depth == 1:
                _spread_block(buffer, place, 1, target, x, highest)
            elif depth == 2:
                _spread_block(buffer, place, 2, target, x, highest)
            elif depth == 4:
                _spread_block(buffer, place, 4, target, x, highest)
            else:
                _spread_block(buffer, place, 8, target, x, highest)
        for x in range(blocks, width):
            sample = _sample(buffer, first, x, depth)
            target[x] = sample
            highest[0] = max(highest[0], sample)


@kernel
def look_up(buffer, start, line, depth, table, length, counted, out, highest, counts):
    """Write the values that a table gives the samples of rows of a PNG.

    Parameters
    ----------
    buffer, start, line, depth, highest
        As for `unpack`.
    table : array (256,), uint8 or uint16
        Zeros from `length` on.
    length : int
    counted : array (C,), uint8
        Samples to be counted.
    out : array (R, Wd), dtype of the table, out
    counts : array (256,), int64, in and out
        Pixels of the counted samples; those of others may be counted or not.
    """
    height, width = out.shape
    blocks = width - width % LANES if length <= MAX_COMPARED else 0
    for row in range(height):
        first = start + row * line + 1
        target = out[row]
        for x in range(0, blocks, LANES):
            place = first + (x * depth >> 3)
            if depth == 1:
                _select_block(buffer, place, 1, table, length, target, x, highest)
            elif depth == 2:
                _select_block(buffer, place, 2, table, length, target, x, highest)
            elif depth == 4:
                _select_block(buffer, place, 4, table, length, target, x, highest)
            else:
                _select_block(buffer, place, 8, table, length, target, x, highest)
        for i in range(counted.size if blocks > 0 else 0):
            counts[counted[i]] += _count(buffer, first, depth, blocks, counted[i])
        for x in range(blocks, width):
            sample = _sample(buffer, first, x, depth)
            target[x] = table[sample]
            highest[0] = max(highest[0], sample)
            counts[sample] += 1


@kernel
def _count(buffer, first, depth, width, sample):
    """Pixels of a row, up to `width`, that have a sample."""
    total = 0
    for x in range(0, width, LANES):
        place = first + (x * depth >> 3)
        if depth == 1:
            total += count_bits(_equal_samples(buffer, place, 1, sample))
        elif depth == 2:
            total += count_bits(_equal_samples(buffer, place, 2, sample))
        elif depth == 4:
            total += count_bits(_equal_samples(buffer, place, 4, sample))
        else:
            total += count_bits(_equal_samples(buffer, place, 8, sample))
    return total

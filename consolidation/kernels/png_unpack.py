"""Rows of a PNG of 1, 2, 4 or 8 bits a pixel to bytes: the samples, or what a table makes of them.

In registers of 64 pixels: bits are spread by shifts and interleaving, up to 16 values are looked
up by a tree of selections, one level for each bit of the sample, more by comparing with each, and
the highest sample is kept, all without leaving them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, Lanes
from consolidation.kernels._words import count_bits
from consolidation.kernels.colors import MAX_COMPARED


def _bytes_from(v: Any, array_type: Any, array: Any, n: int) -> Any:
    """Vector of `n` bytes."""
    return v.load(array_type, array, ir.VectorType(ir.IntType(8), n))


def _halved(v: Any, samples: Any, bits: int) -> Any:
    """Each of n bytes of two samples of `bits` bits as two bytes, the upper sample first."""
    n = samples.type.count
    constant = ir.Constant(samples.type, [bits] * n)
    upper = v.builder.lshr(samples, constant)
    lower = v.builder.and_(samples, ir.Constant(samples.type, [(1 << bits) - 1] * n))
    order = [index for i in range(n) for index in (i, n + i)]
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


def _each_block(v: Any, arguments: Any, depth: int, highest_type: Any, made: Any) -> None:
    """Write made(samples) for `n` blocks of a row; raise `highest` (64,)."""
    builder = v.builder
    buffer_type, buffer, first, out_type, out, n, highest = arguments
    zero = ir.Constant(first.type, 0)
    top = cgutils.alloca_once_value(builder, v.load(highest_type, highest, v.byte, zero))
    with cgutils.for_range(builder, n) as loop:
        packed_bytes = ir.Constant(first.type, LANES * depth // 8)
        v.start = builder.add(first, builder.mul(loop.index, packed_bytes))
        samples = _samples(v, buffer_type, buffer, depth)
        offset = builder.mul(loop.index, ir.Constant(first.type, LANES))
        v.store(made(samples), out_type, out, offset)
        builder.store(v.minmax("umax", builder.load(top), samples), top)
    v.store(builder.load(top), highest_type, highest, zero)


@intrinsic(prefer_literal=True)
def _spread(typing_context, buffer, first, depth, n, out, highest):
    """Write the samples of `n` blocks of 64 pixels, packed from buffer[first] on."""
    signature = types.void(buffer, types.intp, depth, types.intp, out, highest)
    bits = depth.literal_value

    def codegen(context, builder, _signature, arguments):
        buffer_, first_, _, n_, out_, highest_ = arguments
        v = Lanes(context, builder, LANES, out.dtype.bitwidth, first_)
        block = buffer, buffer_, first_, out, out_, n_, highest_
        _each_block(v, block, bits, highest, lambda samples: builder.zext(samples, v.label))
        return context.get_dummy_value()

    return signature, codegen


def _tree(v: Any, samples: Any, values: Any, bits: Any) -> Any:
    """values[sample] by selections, the highest bit of the sample first."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    low, high = (_tree(v, samples, part, bits) for part in (values[:half], values[half:]))
    return v.builder.select(bits[half.bit_length() - 1], high, low)


@intrinsic(prefer_literal=True)
def _select(typing_context, buffer, first, depth, n, table, size, out, highest):
    """Write table[sample]; `size`, a power of two, is of the part of the table that is not 0."""
    signature = types.void(buffer, types.intp, depth, types.intp, table, size, out, highest)
    depth_, n_values = depth.literal_value, size.literal_value

    def codegen(context, builder, _signature, arguments):
        buffer_, first_, _, n_, table_, _, out_, highest_ = arguments
        v = Lanes(context, builder, LANES, table.dtype.bitwidth, first_)
        pointer = context.make_array(table)(context, builder, table_).data
        values = []
        for index in range(n_values):
            value = builder.load(builder.gep(pointer, [ir.Constant(first_.type, index)]))
            values.append(v.splat(value, v.label))

        def made(samples: Any) -> Any:
            none = ir.Constant(v.byte, [0] * LANES)
            bits = []
            for bit in range(n_values.bit_length() - 1):
                mask = ir.Constant(v.byte, [1 << bit] * LANES)
                bits.append(builder.icmp_unsigned("!=", builder.and_(samples, mask), none))
            chosen = _tree(v, samples, values, bits)
            if n_values == 1 << depth_:
                return chosen
            beyond = ir.Constant(v.byte, [n_values] * LANES)
            inside = builder.icmp_unsigned("<", samples, beyond)
            return builder.select(inside, chosen, ir.Constant(v.label, [0] * LANES))

        block = buffer, buffer_, first_, out, out_, n_, highest_
        _each_block(v, block, depth_, highest, made)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def _compare(typing_context, buffer, first, n, table, length, out, highest):
    """Write table[sample] for samples of 8 bits by comparing with 0 .. length - 1."""
    signature = types.void(buffer, types.intp, types.intp, table, types.intp, out, highest)

    def codegen(context, builder, _signature, arguments):
        buffer_, first_, n_, table_, length_, out_, highest_ = arguments
        v = Lanes(context, builder, LANES, table.dtype.bitwidth, first_)
        values = context.make_array(table)(context, builder, table_).data
        chosen = cgutils.alloca_once(builder, v.label)

        def made(samples: Any) -> Any:
            builder.store(ir.Constant(v.label, [0] * LANES), chosen)
            with cgutils.for_range(builder, length_) as loop:
                wanted = v.splat(builder.trunc(loop.index, ir.IntType(8)), v.byte)
                value = v.splat(builder.load(builder.gep(values, [loop.index])), v.label)
                same = builder.icmp_unsigned("==", samples, wanted)
                builder.store(builder.select(same, value, builder.load(chosen)), chosen)
            return builder.load(chosen)

        block = buffer, buffer_, first_, out, out_, n_, highest_
        _each_block(v, block, 8, highest, made)
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
        if depth == 1:
            _spread(buffer, first, 1, blocks // LANES, target, highest)
        elif depth == 2:
            _spread(buffer, first, 2, blocks // LANES, target, highest)
        elif depth == 4:
            _spread(buffer, first, 4, blocks // LANES, target, highest)
        else:
            _spread(buffer, first, 8, blocks // LANES, target, highest)
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
        if depth == 1:
            _select(buffer, first, 1, blocks // LANES, table, 2, target, highest)
        elif depth == 2:
            _select(buffer, first, 2, blocks // LANES, table, 4, target, highest)
        elif depth == 4 and length > 8:
            _select(buffer, first, 4, blocks // LANES, table, 16, target, highest)
        elif depth == 4:
            _select(buffer, first, 4, blocks // LANES, table, 8, target, highest)
        else:
            _compare(buffer, first, blocks // LANES, table, length, target, highest)
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
        offset = first + (x * depth >> 3)
        if depth == 1:
            total += count_bits(_equal_samples(buffer, offset, 1, sample))
        elif depth == 2:
            total += count_bits(_equal_samples(buffer, offset, 2, sample))
        elif depth == 4:
            total += count_bits(_equal_samples(buffer, offset, 4, sample))
        else:
            total += count_bits(_equal_samples(buffer, offset, 8, sample))
    return total

"""Bytes of an array eight or 64 at a time, from any position: nothing checks that they are there.

A caller makes sure that the array reaches so far, or has a margin that does.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._lanes import LANES, Lanes

WORD = 8
"""Bytes of a word."""


def pointer(context: Any, builder: Any, array_type: Any, array: Any, start: Any, kind: Any) -> Any:
    """Pointer to a value of the LLVM type `kind` at element `start` of an array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), kind.as_pointer())


def _load(context: Any, builder: Any, array_type: Any, array: Any, start: Any, kind: Any) -> Any:
    value = builder.load(pointer(context, builder, array_type, array, start, kind))
    value.align = array_type.dtype.bitwidth // 8
    return value


@intrinsic
def load_word(typing_context, array, start):
    """Eight bytes from `start` on as a uint64."""

    def codegen(context, builder, signature, arguments):
        array_, start_ = arguments
        return _load(context, builder, signature.args[0], array_, start_, ir.IntType(64))

    return types.uint64(array, types.intp), codegen


@intrinsic
def store_word(typing_context, array, start, word):
    """Write a uint64 as eight bytes from `start` on."""

    def codegen(context, builder, signature, arguments):
        array_, start_, word_ = arguments
        target = pointer(context, builder, signature.args[0], array_, start_, ir.IntType(64))
        builder.store(word_, target).align = 1
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), codegen


@intrinsic
def copy_block(typing_context, array, start, out, offset):
    """Copy the 64 values from `start` on to `offset` of another array, or of the same."""

    def codegen(context, builder, signature, arguments):
        array_, start_, out_, offset_ = arguments
        kind = ir.VectorType(ir.IntType(array.dtype.bitwidth), LANES)
        value = _load(context, builder, signature.args[0], array_, start_, kind)
        target = pointer(context, builder, signature.args[2], out_, offset_, kind)
        builder.store(value, target).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, out, types.intp), codegen


@intrinsic
def fill_block(typing_context, array, start, value):
    """Write a value 64 times from `start` on."""

    def codegen(context, builder, signature, arguments):
        array_, start_, value_ = arguments
        v = Lanes(context, builder, LANES, array.dtype.bitwidth, start_)
        v.store(v.splat(value_, v.label), array, array_)
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), codegen


@intrinsic
def add_block(typing_context, array, start, offset):
    """Add the 64 bytes from `offset` on to those from `start` on."""

    def codegen(context, builder, signature, arguments):
        array_, start_, offset_ = arguments
        kind = ir.VectorType(ir.IntType(8), LANES)
        word = _load(context, builder, signature.args[0], array_, start_, kind)
        other = _load(context, builder, signature.args[0], array_, offset_, kind)
        target = pointer(context, builder, signature.args[0], array_, start_, kind)
        builder.store(builder.add(word, other), target).align = 1
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), codegen


@intrinsic
def differences(typing_context, array, start, other, other_start):
    """Bit i of the result: array[start + i] differs from other[other_start + i]; 64 values."""

    def codegen(context, builder, signature, arguments):
        array_, start_, other_, other_start_ = arguments
        kind = ir.VectorType(ir.IntType(array.dtype.bitwidth), LANES)
        first = _load(context, builder, signature.args[0], array_, start_, kind)
        second = _load(context, builder, signature.args[2], other_, other_start_, kind)
        return builder.bitcast(builder.icmp_unsigned("!=", first, second), ir.IntType(64))

    return types.uint64(array, types.intp, other, types.intp), codegen


@intrinsic
def any_set(typing_context, array, start):
    """Whether any of the 64 bytes from `start` on is not 0."""

    def codegen(context, builder, signature, arguments):
        kind = ir.VectorType(ir.IntType(8), LANES)
        value = _load(context, builder, signature.args[0], *arguments, kind)
        zero = ir.Constant(kind, [0] * LANES)
        bits = builder.bitcast(builder.icmp_unsigned("!=", value, zero), ir.IntType(64))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(64), 0))

    return types.boolean(array, types.intp), codegen


@intrinsic
def count_bits(typing_context, bits):
    """Set bits of a uint64."""

    def codegen(context, builder, _signature, arguments):
        i64 = ir.IntType(64)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(i64, [i64]), "llvm.ctpop.i64"
        )
        return builder.call(function, arguments)

    return types.int64(types.uint64), codegen


@intrinsic
def equals(typing_context, array, start, value):
    """Bit i of the result: array[start + i] is `value`; 64 values."""

    def codegen(context, builder, signature, arguments):
        array_, start_, value_ = arguments
        v = Lanes(context, builder, LANES, array.dtype.bitwidth, start_)
        same = builder.icmp_unsigned("==", v.load(array, array_, v.label), v.splat(value_, v.label))
        return builder.bitcast(same, ir.IntType(64))

    return types.uint64(array, types.intp, array.dtype), codegen

"""Vector registers: what the hand-written vector code of several kernels shares.

The vector code is written out by intrinsics, not left to the loop vectoriser, which gives up
where many arrays might overlap, and which computes with bytes in 64-bit lanes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

# what it makes of a function is called without the function's first argument
intrinsic: Any = _intrinsic

LANES = 64
"""Pixels a block: one AVX-512 register of bytes, two of AVX2, four of SSE2 or NEON."""


class Lanes:
    """Emits operations on vectors of `lanes` labels of `bits` bits, from pixel `start` on."""

    def __init__(self, context: Any, builder: Any, lanes: int, bits: int, start: Any) -> None:
        self.context, self.builder, self.start = context, builder, start
        self.lanes = lanes
        self.label = self.vector(bits)
        self.byte = self.vector(8)
        self.false = ir.Constant(self.vector(1), [0] * lanes)

    def vector(self, bits: int) -> Any:
        """Type of a vector of integers."""
        return ir.VectorType(ir.IntType(bits), self.lanes)

    def _pointer(self, array_type: Any, array: Any, vector: Any, start: Any) -> Any:
        data = self.context.make_array(array_type)(self.context, self.builder, array).data
        start = self.start if start is None else start
        return self.builder.bitcast(self.builder.gep(data, [start]), vector.as_pointer())

    def load(self, array_type: Any, array: Any, vector: Any, start: Any = None) -> Any:
        """Load a vector, from `start` or another pixel."""
        value = self.builder.load(self._pointer(array_type, array, vector, start))
        value.align = vector.element.width // 8
        return value

    def store(self, value: Any, array_type: Any, array: Any, start: Any = None) -> None:
        """Store a vector, at `start` or another pixel."""
        pointer = self._pointer(array_type, array, value.type, start)
        self.builder.store(value, pointer).align = value.type.element.width // 8

    def minmax(self, name: str, a: Any, b: Any) -> Any:
        """Unsigned minimum (``"umin"``) or maximum (``"umax"``)."""
        signature = ir.FunctionType(a.type, [a.type, a.type])
        full_name = f"llvm.{name}.v{self.lanes}i{a.type.element.width}"
        function = cgutils.get_or_insert_function(self.builder.module, signature, full_name)
        return self.builder.call(function, [a, b])

    def splat(self, scalar: Any, vector: Any) -> Any:
        """Copy a scalar into every lane."""
        undefined = ir.Constant(vector, ir.Undefined)
        single = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(self.vector(32), [0] * self.lanes)
        return self.builder.shuffle_vector(single, undefined, everywhere)


@intrinsic
def changes(typing_context, row, start):
    """Bit i of the result: row[start + i] differs from row[start + i - 1]; 64 pixels."""
    signature = types.uint64(row, types.intp)

    def codegen(context, builder, _signature, arguments):
        vector = ir.VectorType(ir.IntType(row.dtype.bitwidth), LANES)
        data = context.make_array(row)(context, builder, arguments[0]).data
        before = builder.sub(arguments[1], ir.Constant(arguments[1].type, 1))
        loaded = []
        for position in (arguments[1], before):
            pointer = builder.bitcast(builder.gep(data, [position]), vector.as_pointer())
            value = builder.load(pointer)
            value.align = row.dtype.bitwidth // 8
            loaded.append(value)
        return builder.bitcast(builder.icmp_unsigned("!=", *loaded), ir.IntType(64))

    return signature, codegen


@intrinsic
def lowest_bit(typing_context, bits):
    """Position of the lowest set bit of a uint64 that is not 0."""

    def codegen(context, builder, _signature, arguments):
        i64 = ir.IntType(64)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(i64, [i64, ir.IntType(1)]), "llvm.cttz.i64"
        )
        return builder.call(function, [arguments[0], ir.Constant(ir.IntType(1), 1)])

    return types.int64(types.uint64), codegen


def _comparison(operator: str) -> Any:
    """Code that compares 64 pixels of an array with a value."""

    def codegen(context, builder, signature, arguments):
        array, start, value = arguments
        v = Lanes(context, builder, LANES, signature.args[0].dtype.bitwidth, start)
        loaded = v.load(signature.args[0], array, v.label)
        wanted = v.splat(builder.trunc(value, v.label.element), v.label)
        return builder.bitcast(builder.icmp_unsigned(operator, loaded, wanted), ir.IntType(64))

    return codegen


@intrinsic
def equal_to(typing_context, array, start, value):
    """Bit i of the result: array[start + i] == value; 64 pixels."""
    return types.uint64(array, types.intp, types.int64), _comparison("==")


@intrinsic
def at_least(typing_context, array, start, value):
    """Bit i of the result: array[start + i] >= value; 64 pixels, unsigned."""
    return types.uint64(array, types.intp, types.int64), _comparison(">=")


PIECE = 32
"""Pixels a smaller block."""


def _copying(lanes: int) -> Any:
    def codegen(context, builder, signature, arguments):
        source, start, target, first = arguments
        v = Lanes(context, builder, lanes, signature.args[0].dtype.bitwidth, start)
        v.store(v.load(signature.args[0], source, v.label), signature.args[2], target, first)
        return context.get_dummy_value()

    return codegen


@intrinsic
def copy_lanes(typing_context, source, start, target, first):
    """Copy 64 labels from source[start] on to target[first] on."""
    return types.void(source, types.intp, target, types.intp), _copying(LANES)


@intrinsic
def copy_piece(typing_context, source, start, target, first):
    """Copy 32 labels from source[start] on to target[first] on."""
    return types.void(source, types.intp, target, types.intp), _copying(PIECE)

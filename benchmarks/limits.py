"""The limit that voting is held against: a kernel that only reads the masks and writes as much.

It loads every worker's bytes with the same vector loads, xors them and stores three results a
pixel, as the vote does. Nothing that looks at every vote can be faster.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from consolidation.kernels._lanes import LANES, Lanes


@intrinsic(prefer_literal=True)
def _stream_block(typing_context, rows, start, labels, votes, tied, lanes):
    row_type = rows.dtype
    signature = types.void(rows, types.intp, labels, votes, tied, lanes)

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        v = Lanes(context, builder, lanes.literal_value, row_type.dtype.bitwidth, arguments[1])
        x = [v.load(row_type, row, v.label) for row in cgutils.unpack_tuple(builder, arguments[0])]
        mixed = x[0]
        for one in x[1:]:
            mixed = builder.xor(mixed, one)
        v.store(mixed, labels, arguments[2])
        v.store(mixed, votes, arguments[3])
        one_bit = ir.Constant(v.byte, [1] * v.lanes)
        v.store(builder.and_(mixed, one_bit), tied, arguments[4])
        return context.get_dummy_value()

    return signature, codegen


@njit(nogil=True)
def stream(rows, labels, votes, tied):
    """Read rows (W arrays (N,) uint8, N a multiple of 64) and write three bytes a pixel."""
    for start in range(0, labels.size, LANES):
        _stream_block(rows, start, labels, votes, tied, LANES)

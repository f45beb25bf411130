"""A matrix transposed in squares that stay in vector registers: number by number it takes longer than a product with it."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from rlkit.compiled.jit import kernel
from rlkit.compiled.tiles import BYTES


@intrinsic
def _square(_context: Any, to: Any, to_at: Any, to_row: Any, of: Any, of_at: Any, of_row: Any) -> Any:  # noqa: ARG001 - types
    """B[j, i] = A[i, j] of a square as wide as a vector: the halves of its rows are shuffled like cards, log₂ times."""
    whole = types.int64
    signature = types.void(to, whole, whole, of, whole, whole)

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        to_data, of_data = (context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 3))
        bits = sig.args[0].dtype.bitwidth
        lanes = BYTES * 8 // bits
        vector, i32, i64 = (
            ir.VectorType(context.get_data_type(sig.args[0].dtype), lanes),
            ir.IntType(32),
            ir.IntType(64),
        )

        def place(data: Any, at: Any, row: Any, r: int) -> Any:
            start = builder.add(at, builder.mul(row, i64(r)))
            return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())

        def load(r: int) -> Any:
            loaded = builder.load(place(of_data, args[4], args[5], r))
            loaded.align = bits // 8
            return loaded

        def mixed(left: Any, right: Any, first: int) -> Any:
            order = [k for j in range(first, first + lanes // 2) for k in (j, lanes + j)]
            return builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(i32, lanes), order))

        rows = [load(r) for r in range(lanes)]
        for _ in range(lanes.bit_length() - 1):
            pairs = zip(rows[: lanes // 2], rows[lanes // 2 :], strict=True)
            rows = [mixed(left, right, first) for left, right in pairs for first in (0, lanes // 2)]
        for r, row in enumerate(rows):
            builder.store(row, place(to_data, args[1], args[2], r)).align = bits // 8
        return context.get_dummy_value()

    return signature, generate


@kernel
def transpose(to: Any, to_at: int, to_row: int, of: Any, of_at: int, of_row: int, rows: int, columns: int) -> None:
    """B[j, i] = A[i, j], i < rows, j < columns; both are multiples of the numbers in a vector.

    Args:
        to: flat array; B[j, i] is to[to_at + j to_row + i].
        to_at: see there.
        to_row: see there.
        of: flat array; A[i, j] is of[of_at + i of_row + j].
        of_at: see there.
        of_row: see there.
        rows: of A.
        columns: of A.
    """
    lanes = BYTES // to.itemsize
    for i in range(0, rows, lanes):
        for j in range(0, columns, lanes):
            _square(to, to_at + j * to_row + i, to_row, of, of_at + i * of_row + j, of_row)

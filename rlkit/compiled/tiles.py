"""A tile of a matrix product in vector registers: C[r, v] += Σ_k A[r, k] B[k, v], written for the compiler as vectors.

Numba has no vector type, and LLVM makes of three nested loops a tenth of the speed.
"""

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_WIDE = llvm.get_host_cpu_features().get("avx512f", False)
BYTES = 64 if _WIDE else 32  # of a vector register
ROWS = 6  # of a large tile: with VECTORS, as many sums as registers hold
VECTORS = 4 if _WIDE else 2


@intrinsic
def tile(
    _context: Any, c: Any, c_at: Any, c_row: Any, a: Any, a_at: Any, a_row: Any, a_step: Any,
    b: Any, b_at: Any, b_step: Any, count: Any, add: Any, rows: Any, vectors: Any,
) -> Any:  # fmt: skip
    """Compute one tile, of len(rows) rows and len(vectors) vectors of BYTES.

        C[r, v] = add · C[r, v] + Σ_{k < count} A[r, k] B[k, v]

    Args:
        c: flat array; C[r, v] is c[c_at + r c_row + v].
        c_at: where the tile begins.
        c_row: from row to row.
        a: flat array; A[r, k] is a[a_at + r a_row + k a_step].
        a_at: see there.
        a_row: see there.
        a_step: see there.
        b: flat array; B[k, v] is b[b_at + k b_step + v].
        b_at: see there.
        b_step: see there.
        count: of products in each sum.
        add: bool, whether C is added to; else it is overwritten.
        rows: a tuple whose values do not count.
        vectors: a tuple whose values do not count.
    """
    n_rows, n_vectors = len(rows), len(vectors)
    whole = types.int64
    signature = types.void(
        c, whole, whole, a, whole, whole, whole, b, whole, whole, whole, types.boolean, rows, vectors
    )

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        c_data, a_data, b_data = (context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 3, 7))
        c_at, c_row, a_at, a_row, a_step, b_at, b_step, count, add = (args[i] for i in (1, 2, 4, 5, 6, 8, 9, 10, 11))
        number = context.get_data_type(sig.args[0].dtype)
        bits = sig.args[0].dtype.bitwidth
        lanes = BYTES * 8 // bits
        vector, i32, i64 = ir.VectorType(number, lanes), ir.IntType(32), ir.IntType(64)
        zero, nothing = ir.Constant(vector, None), ir.Constant(vector, ir.Undefined)
        everywhere = ir.Constant(ir.VectorType(i32, lanes), [0] * lanes)
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes}f{bits}"
        )

        def vector_at(data: Any, at: Any, v: int) -> Any:
            place = builder.gep(data, [builder.add(at, i64(v * lanes))])
            return builder.bitcast(place, vector.as_pointer())

        def load(data: Any, at: Any, v: int) -> Any:
            loaded = builder.load(vector_at(data, at, v))
            loaded.align = bits // 8
            return loaded

        places = [builder.add(c_at, builder.mul(c_row, i64(r))) for r in range(n_rows)]
        starts = [builder.add(a_at, builder.mul(a_row, i64(r))) for r in range(n_rows)]
        is_added = builder.icmp_unsigned("!=", add, add.type(0))
        first = [
            builder.select(is_added, load(c_data, places[r], v), zero) for r in range(n_rows) for v in range(n_vectors)
        ]
        body, after = builder.append_basic_block("products"), builder.append_basic_block("sums")
        builder.cbranch(builder.icmp_signed(">", count, i64(0)), body, after)
        before = builder.block

        builder.position_at_end(body)
        k = builder.phi(i64)
        sums = [builder.phi(vector) for _ in first]
        there = builder.add(b_at, builder.mul(k, b_step))
        row = [load(b_data, there, v) for v in range(n_vectors)]
        along = builder.mul(k, a_step)
        totals = []
        for r in range(n_rows):
            value = builder.load(builder.gep(a_data, [builder.add(starts[r], along)]))
            spread = builder.shuffle_vector(builder.insert_element(nothing, value, i32(0)), nothing, everywhere)
            totals += [builder.call(fma, [spread, row[v], sums[r * n_vectors + v]]) for v in range(n_vectors)]
        following = builder.add(k, i64(1))
        k.add_incoming(i64(0), before)
        k.add_incoming(following, body)
        for held, start, total in zip(sums, first, totals, strict=True):
            held.add_incoming(start, before)
            held.add_incoming(total, body)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)

        builder.position_at_end(after)
        results = [builder.phi(vector) for _ in first]
        for i, result in enumerate(results):
            result.add_incoming(first[i], before)
            result.add_incoming(totals[i], body)
        for i, result in enumerate(results):
            place = vector_at(c_data, places[i // n_vectors], i % n_vectors)
            builder.store(result, place).align = bits // 8
        return context.get_dummy_value()

    return signature, generate

"""One vector register for all actions of a state: q = r + sum_m w_m v(s + offset_m), and the largest of its lanes."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


@intrinsic
def largest_value(_context: Any, table: Any, offset: Any, rule: Any, v: Any, s: Any, slots: Any, lanes: Any) -> Any:
    """Return max_a of a rule's action values at state s.

    Numba has no vector type, and LLVM does not find this one by itself: the scalar loop over four actions takes
    2.5 times as long.

    Args:
        table: float64, flat [R, M + 1, W]: for each rule the rewards, then the weights of each slot, padded to W lanes.
        offset: int32, flat [R, M]: successor minus state of each slot.
        rule: index of the rule.
        v: float64 [S].
        s: the state.
        slots: a tuple of length M, whose values do not count.
        lanes: a tuple of length W, a power of two, whose values do not count.
    """
    n_slots, n_lanes = len(slots), len(lanes)
    signature = types.float64(table, offset, rule, v, s, slots, lanes)

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        data = [context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 1, 3)]
        table_at, offset_at, v_at = data
        i32, i64 = ir.IntType(32), ir.IntType(64)
        vector = ir.VectorType(ir.DoubleType(), n_lanes)
        nothing = ir.Constant(vector, ir.Undefined)
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{n_lanes}f64"
        )
        row = context.cast(builder, args[2], sig.args[2], types.int64)
        state = context.cast(builder, args[4], sig.args[4], types.int64)
        first = builder.mul(row, i64((n_slots + 1) * n_lanes))

        def lanes_at(k: int) -> Any:
            place = builder.gep(table_at, [builder.add(first, i64(k * n_lanes))])
            loaded = builder.load(builder.bitcast(place, vector.as_pointer()))
            loaded.align = 8
            return loaded

        q = lanes_at(0)
        for m in range(n_slots):
            step = builder.load(builder.gep(offset_at, [builder.add(builder.mul(row, i64(n_slots)), i64(m))]))
            value = builder.load(builder.gep(v_at, [builder.add(state, builder.sext(step, i64))]))
            spread = builder.shuffle_vector(
                builder.insert_element(nothing, value, i32(0)),
                nothing,
                ir.Constant(ir.VectorType(i32, n_lanes), [0] * n_lanes),
            )
            q = builder.call(fma, [lanes_at(m + 1), spread, q])
        width = n_lanes
        while width > 1:
            width //= 2
            folded = [i + width if i < width else 0 for i in range(n_lanes)]
            other = builder.shuffle_vector(q, nothing, ir.Constant(ir.VectorType(i32, n_lanes), folded))
            q = builder.select(builder.fcmp_ordered(">", q, other), q, other)
        return builder.extract_element(q, i32(0))

    return signature, generate

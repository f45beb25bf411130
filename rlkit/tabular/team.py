"""Threads of compiled code that go step by step together: each does its share, then waits for the others.

A hand-over through Python's threads takes some 50 microseconds, as long as the share itself; waiting in compiled code takes one.
"""

import os
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, register_jitable

from rlkit.arrays import Ints

APART = 8  # entries between two members' progress: a cache line
_PATIENCE = 2000  # looks before a member gives its processor to whoever may be waiting for it
_yield = types.ExternalFunction("sched_yield", types.int32()) if os.name == "posix" else register_jitable(lambda: 0)


@intrinsic
def _publish(_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Store array[index] = value where all threads see it, after everything stored before."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        place = builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])
        builder.store_atomic(args[2], place, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


@intrinsic
def _look(_context: Any, array: Any, index: Any) -> Any:
    """Load array[index] anew, before everything loaded later."""

    def generate(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        place = builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(array, types.int64), generate


@njit(cache=True, nogil=True)
def meet(progress: Ints, me: int, step: int) -> None:
    """Say that member `me` has done its step, and return when every member has.

    Args:
        progress: [members * APART], zero before the first step.
        me: 0 .. members - 1, each in a thread of its own.
        step: counts from 1.
    """
    _publish(progress, me * APART, step)
    for other in range(progress.size // APART):
        looks = 0
        while _look(progress, other * APART) < step:
            looks += 1
            if looks > _PATIENCE:
                _yield()

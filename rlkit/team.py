"""Threads of compiled code that go step by step together: each does its share, then waits for the others.

A hand-over through Python's threads takes some 50 microseconds, as long as the share itself; waiting in compiled code takes one.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, register_jitable

from rlkit.arrays import Ints

T = TypeVar("T")

APART = 8  # entries between two members' progress: a cache line
_PATIENCE = 2000  # looks before a member gives its processor to whoever may be waiting for it
_yield = types.ExternalFunction("sched_yield", types.int32()) if os.name == "posix" else register_jitable(lambda: 0)


class Team:
    """This thread and others beside it, started once: starting them takes as long as a sweep of 100,000 states."""

    def __init__(self, members: int) -> None:
        self.members = members
        self._others = ThreadPoolExecutor(max(1, members - 1))  # its threads start when needed, and end with it

    def do(self, work: Callable[[int], T]) -> list[T]:
        """Return work(me) of each member, 0 .. members - 1; all run at the same time if work is compiled with nogil."""
        others = [self._others.submit(work, me) for me in range(1, self.members)]
        return [work(0), *(other.result() for other in others)]

    def share(self, count: int, work: Callable[[int, int], T]) -> list[T]:
        """Return work(first, last) of each member, whose ranges in order are 0 .. count - 1."""
        cuts = list(pairwise(np.linspace(0, count, self.members + 1).astype(np.int64).tolist()))
        return self.do(lambda me: work(*cuts[me]))


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

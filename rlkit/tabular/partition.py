"""Blocks of neighbouring states, which blocks read which, and ranges of them that threads may sweep at the same time."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

from rlkit.arrays import Ints
from rlkit.tabular.model import Model, Sparse

BLOCK = 20  # states; fewer save updates and lose more on overhead, more the other way about
_WORTH_THREADS = 1 << 15  # states; in a smaller world handing over the work takes longer than doing it


class Blocks(NamedTuple):
    """Blocks of `BLOCK` states each, and for each block the others whose values depend on it."""

    indptr: NDArray[np.int64]  # [T + 1]
    reader: NDArray[np.int32]  # [E]  blocks with an action that leads into this one
    cuts: tuple[int, ...]  # ranges of blocks such that every second one can be swept at the same time
    threads: int


def partition(model: Model, threads: int) -> Blocks:
    """Group the states of a model into blocks.

    With more than one thread, from `_WORTH_THREADS` states on, the blocks are cut into ranges, several for each thread
    since what is pending is seldom spread evenly. Where ranges of the same parity touch (a teleporter, a random
    graph), there is one range and one thread, so that a result never depends on timing.
    """
    count = -(-model.n_states // BLOCK)
    indptr, reader = _readers(model, count)
    for share in (4, 2, 1) if threads > 1 and model.n_states >= _WORTH_THREADS else ():
        cuts = np.linspace(0, count, 2 * share * threads + 1).astype(np.int64)
        if _independent(indptr, reader, cuts):
            return Blocks(indptr, reader, tuple(int(cut) for cut in cuts), threads)
    return Blocks(indptr, reader, (0, count), 1)


def _exits(model: Any, s: int) -> int:
    """Return how many successors are listed for state s; for compiled code, by the overload below."""
    raise TypeError("_exits is for compiled code")


def _exit(model: Any, s: int, i: int) -> int:
    """Return the i-th of them; for compiled code, by the overload below."""
    raise TypeError("_exit is for compiled code")


@overload(_exits)
def _exits_of(model: Any, s: int) -> Any:
    if model.instance_class is Sparse:

        def of_rows(model: Any, s: int) -> Any:
            return model.indptr[(s + 1) * model.n_actions] - model.indptr[s * model.n_actions]

        return of_rows

    def of_rule(model: Any, s: int) -> Any:
        return len(model.slots)

    return of_rule


@overload(_exit)
def _exit_of(model: Any, s: int, i: int) -> Any:
    if model.instance_class is Sparse:

        def of_rows(model: Any, s: int, i: int) -> Any:
            return model.successor[model.indptr[s * model.n_actions] + i]

        return of_rows

    def of_rule(model: Any, s: int, i: int) -> Any:
        return s + model.offset[model.rule[s] * len(model.slots) + i]

    return of_rule


@njit(cache=True, nogil=True)
def _readers(model: Any, count: int) -> tuple[Ints, NDArray[np.int32]]:
    """List for each block the other blocks that lead into it, each once, in order."""
    seen = np.full(count, -1, np.int64)
    starts = np.zeros(count + 1, np.int64)
    reader = np.empty(0, np.int32)
    for filling in range(2):
        seen[:] = -1
        for block in range(count):
            for s in range(block * BLOCK, min(model.n_states, (block + 1) * BLOCK)):
                for i in range(_exits(model, s)):
                    into = np.int64(np.uintp(_exit(model, s, i)) // np.uintp(BLOCK))
                    if into != block and seen[into] != block:
                        seen[into] = block
                        if filling:
                            reader[starts[into]] = block
                        starts[into] += 1
        _shift_counts(starts, filling)
        if not filling:
            reader = np.empty(starts[count], np.int32)
    return starts, reader


@njit(cache=True, nogil=True)
def _shift_counts(starts: Ints, filled: int) -> None:
    """Turn counts, or ends after filling, into the starts of compressed rows."""
    count = starts.size - 1
    total = 0
    for i in range(count):
        size = starts[i]
        starts[i] = total
        total = size if filled else total + size
    starts[count] = total


def _independent(indptr: NDArray[np.int64], reader: NDArray[np.int32], cuts: NDArray[np.int64]) -> bool:
    """Whether no two ranges of the same parity read each other, or share a reader."""
    part = np.searchsorted(cuts, np.arange(len(indptr) - 1), side="right") - 1
    source = np.repeat(part, np.diff(indptr))
    other = part[reader]
    apart = (source == other) | ((source - other) % 2 == 1)
    if not apart.all():
        return False
    crossing = source != other
    key = reader[crossing].astype(np.int64) * len(cuts) + source[crossing]
    block = np.unique(key) // len(cuts)
    return len(np.unique(block)) == len(block)

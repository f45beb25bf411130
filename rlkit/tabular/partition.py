"""Blocks of neighbouring states, which blocks read which, and ranges of them that threads may sweep at the same time."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

from rlkit.arrays import Ints
from rlkit.tabular.model import Model, Sparse
from rlkit.team import Team

BLOCK = 20  # states; fewer save updates and lose more on overhead, more the other way about


class Blocks(NamedTuple):
    """Blocks of `BLOCK` states each, and for each block the others whose values depend on it."""

    indptr: NDArray[np.int64]  # [T + 1]
    reader: NDArray[np.int32]  # [E]  blocks with an action that leads into this one
    cuts: tuple[int, ...]  # ranges of blocks such that every second one can be swept at the same time


def partition(model: Model, team: Team) -> Blocks:
    """Group the states of a model into blocks.

    For more than one thread the blocks are cut into ranges, several for each thread since what is pending is seldom
    spread evenly. Where ranges of the same parity touch (a teleporter, a random graph), there is one range, so that a
    result never depends on timing.
    """
    count = -(-model.n_states // BLOCK)
    sizes, into = zip(*team.share(count, lambda first, last: _reads(model, count, first, last)), strict=True)
    indptr, reader = _readers(np.concatenate(sizes), np.concatenate(into))
    for share in (8, 4, 2, 1) if team.members > 1 else ():
        cuts = np.linspace(0, count, 2 * share * team.members + 1).astype(np.int64)
        if _independent(indptr, reader, cuts):
            return Blocks(indptr, reader, tuple(int(cut) for cut in cuts))
    return Blocks(indptr, reader, (0, count))


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
def _reads(model: Any, count: int, first: int, last: int) -> tuple[Ints, NDArray[np.int32]]:
    """List the other blocks that the blocks first .. last - 1 lead into, each once; returns how many each has, and all."""
    seen = np.full(count, -1, np.int64)
    sizes = np.empty(last - first, np.int64)
    into = np.empty(0, np.int32)
    used = 0
    for block in range(first, last):
        begin, end = block * BLOCK, min(model.n_states, (block + 1) * BLOCK)
        most = used
        for s in range(begin, end):
            most += _exits(model, s)
        if most > into.size:
            into = np.concatenate((into, np.empty(most, np.int32)))
        before, used = used, _note_reads(model, block, begin, end, seen, into, used)
        sizes[block - first] = used - before
    return sizes, into[:used]


@njit(cache=True, nogil=True)
def _note_reads(model: Any, block: int, begin: int, end: int, seen: Ints, into: NDArray[np.int32], used: int) -> int:
    """Append the other blocks that the states begin .. end - 1 lead into; apart from the loop that lets `into` grow."""
    for s in range(begin, end):
        for i in range(_exits(model, s)):
            other = np.int64(np.uintp(_exit(model, s, i)) // np.uintp(BLOCK))
            if other != block and seen[other] != block:
                seen[other] = block
                into[used] = other
                used += 1
    return used


@njit(cache=True, nogil=True)
def _readers(sizes: Ints, into: NDArray[np.int32]) -> tuple[Ints, NDArray[np.int32]]:
    """Turn round what `_reads` lists: for each block the others that lead into it, in order, as compressed rows."""
    starts = np.zeros(sizes.size + 1, np.int64)
    for other in into:
        starts[other + 1] += 1
    starts = np.cumsum(starts)
    reader = np.empty(into.size, np.int32)
    filled = starts[:-1].copy()
    k = 0
    for block in range(sizes.size):
        for _ in range(sizes[block]):
            other = into[k]
            reader[filled[other]] = block
            filled[other] += 1
            k += 1
    return starts, reader


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

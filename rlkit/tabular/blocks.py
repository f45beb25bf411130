"""Sweeping only where something changed: the blocks that are pending, by one thread or by several in step."""

from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rlkit.arrays import Floats, Ints
from rlkit.tabular.bellman import best_value, residual_between
from rlkit.tabular.model import Model
from rlkit.tabular.partition import BLOCK, Blocks
from rlkit.team import APART, Team, meet

_TURN = 32  # passes in one direction before turning round: going to and fro each time takes 40 % more of them


def relax(
    model: Model,
    v: NDArray[np.float64],
    pending: NDArray[np.float64],
    blocks: Blocks,
    team: Team,
    threshold: float,
    passes: int,
) -> tuple[int, int]:
    """Sweep pending blocks in place, first from the last to the first, until none is left or `passes` are done.

    A block is pending when a value that it reads has changed by more than threshold since it was last swept.

    Args:
        model: the model, self loops removed or not.
        v: [S] values, improved in place.
        pending: [T] the largest such change for each block, kept up to date in place.
        blocks: from `partition`.
        team: the one that the blocks were cut for.
        threshold: smaller changes are let pass.
        passes: at most so many.

    Returns:
        Passes made and blocks swept.
    """
    ranges = np.array(list(pairwise(blocks.cuts)))
    if len(ranges) == 1:
        made, swept = _relax_range(model, v, pending, blocks.indptr, blocks.reader, threshold, passes, True, *ranges[0])
        return int(made), int(swept)
    progress = np.zeros(team.members * APART, np.int64)
    counts = np.zeros(team.members, np.int64)

    def join(me: int) -> tuple[int, int]:
        made, swept = _relax_together(
            model, v, pending, blocks.indptr, blocks.reader, threshold, passes, ranges, me, progress, counts
        )
        return int(made), int(swept)

    return team.do(join)[0]


@njit(cache=True, nogil=True)
def _relax_range(
    model: Any,
    v: Floats,
    pending: Floats,
    indptr: Ints,
    reader: NDArray[np.int32],
    threshold: float,
    passes: int,
    backward: bool,
    first: int,
    last: int,
) -> tuple[int, int]:
    """Do the passes over the blocks first .. last - 1.

    Inside a block the even states go before the odd ones: neighbours then do not wait for each other, and the
    processor has several states in flight.
    """
    swept = 0
    made = 0
    while made < passes:
        before = swept
        for i in range(last - first):
            block = np.uintp(last - 1 - i if backward else first + i)  # unsigned: no check for a negative index
            if pending[block] <= threshold:
                continue
            swept += 1
            pending[block] = 0.0
            low: Any = np.int64(block) * BLOCK
            high: Any = min(model.n_states, low + BLOCK)
            change = 0.0
            for parity in range(2):
                s = high - 1 - parity if backward else low + parity
                step = -2 if backward else 2
                for _ in range((high - low + 1 - parity) // 2):
                    value = best_value(model, v, s)
                    gap = abs(value - v[np.uintp(s)])
                    change = max(change, gap)
                    v[np.uintp(s)] = value
                    s += step
            if change > threshold:
                pending[block] = change
                for k in range(np.uintp(indptr[block]), np.uintp(indptr[block + np.uintp(1)])):
                    other = np.uintp(reader[k])
                    pending[other] = max(pending[other], change)
        if swept == before:
            break
        made += 1
        if made % _TURN == 0:
            backward = not backward
    return made, swept


@njit(cache=True, nogil=True)
def _relax_together(
    model: Any,
    v: Floats,
    pending: Floats,
    indptr: Ints,
    reader: NDArray[np.int32],
    threshold: float,
    passes: int,
    ranges: Ints,
    me: int,
    progress: Ints,
    counts: Ints,
) -> tuple[int, int]:
    """Do the passes of one thread of several: its share of the ranges of one parity, then of the other, in step."""
    swept = 0
    for done in range(passes):
        backward = done // _TURN % 2 == 0
        mine = 0
        for phase in range(2):
            parity = 1 - phase if backward else phase
            for part in range(parity + 2 * me, len(ranges), 2 * counts.size):
                _, count = _relax_range(
                    model, v, pending, indptr, reader, threshold, 1, backward, ranges[part, 0], ranges[part, 1]
                )
                mine += count
            if phase == 1:  # not before: until all have met, one may still be reading the counts of the last pass
                counts[me] = mine
            meet(progress, me, 2 * done + phase + 1)
        total = counts.sum()
        if total == 0:
            return done, swept
        swept += total
    return passes, swept


def block_residuals(model: Model, v: Floats, pending: Floats, team: Team) -> tuple[float, float, float]:
    """Set pending to the largest |T v - v| of each block; return min and max of T v - v and the largest |v|."""
    parts = team.share(len(pending), lambda first, last: _block_residuals(model, v, pending, first, last))
    lows, highs, sizes = zip(*parts, strict=True)
    return min(lows), max(highs), max(sizes)


@njit(cache=True, nogil=True)
def _block_residuals(model: Any, v: Floats, pending: Floats, first: int, last: int) -> tuple[float, float, float]:
    """Do what `block_residuals` says for the blocks first .. last - 1."""
    low, high, size = np.inf, -np.inf, 0.0
    for block in range(first, last):
        begin = block * BLOCK
        least, most, largest = residual_between(model, v, begin, min(model.n_states, begin + BLOCK))
        low, high, size = min(low, least), max(high, most), max(size, largest)
        pending[block] = max(-least, most)
    return low, high, size

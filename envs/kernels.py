"""Many grid worlds moved at once in compiled code: a look-up for all of them, then a restart for those that ask for one.

A sub-environment whose episode is over and that waits for its reset stands in state s + S. There every action keeps it, pays
nothing and draws nothing, so that the look-up treats all alike; Gymnasium's autoreset modes differ in who restarts when.
The look-up is one loop that calls no function with arrays: numba would count references in each turn.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.modes import BAD_ACTION, DISABLED, NEEDS_RESET, NEXT_STEP, SAME_STEP
from envs.pcg64 import advanced, random_53, word_53
from envs.tables import CERTAIN, Table


class Change(NamedTuple):
    """How far each sub-environment of a changing world has come: forms follow each other once `at` steps are lived."""

    form: NDArray[np.int32]  # [N]
    lived: NDArray[np.int64]  # [N]  steps over the life of the sub-environment, over all its episodes
    wall: NDArray[np.bool_]  # [forms, S]  a form waits while the agent stands where it has a wall
    at: int


class Batch(NamedTuple):
    """The state of N sub-environments; in change None stands for a world that stays as it is."""

    state: NDArray[np.int32]  # [N]  s, or s + S while waiting for a reset
    elapsed: NDArray[np.int32]  # [N]  steps of this episode, if there is a time limit
    rng: NDArray[np.uint64]  # [N, 4]  PCG64, see envs.pcg64
    stream: NDArray[np.uint64]  # [N]  SplitMix64, for the actions of rollout_random
    mask: NDArray[np.bool_]  # [N]  scratch: who is meant
    change: Change | None


@njit(cache=True, nogil=True)
def look_up(
    actions: NDArray[Any],
    batch: Batch,
    change: Change | None,
    noise: NDArray[np.uint64] | None,
    table: Table,
    obs: NDArray[Any],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
) -> None:
    """Where each action leads from each state, what it pays, and whether it ends the episode.

    change is batch.change; noise is batch.rng, or None where the table holds no randomness. They are arguments, since the
    compiler leaves out what an argument of None asks for.
    """
    width = np.uint64(table.threshold.shape[1] + 1)
    for i in range(len(actions)):
        s = batch.state[i]
        k = np.uint64(actions[i])
        if change is None:
            k += np.uint64(table.base[np.uint32(s)])
        else:
            k += np.uint64(table.base[np.uint32(s + 2 * table.n_states * change.form[i])])
        if noise is not None:
            row = k
            k *= width
            high, low = noise[i, 0], noise[i, 1]
            next_high, next_low = advanced(high, low, noise[i, 2], noise[i, 3])
            word = word_53(next_high, next_low)
            draws = table.threshold[row, 0] != CERTAIN
            noise[i, 0] = next_high if draws else high
            noise[i, 1] = next_low if draws else low
            k += np.uint64(table.threshold[row, 0] <= word) + np.uint64(table.threshold[row, 1] <= word)
            for j in range(2, table.threshold.shape[1]):
                k += np.uint64(table.threshold[row, j] <= word)
        obs[i] = s + table.offset[k]
        reward[i] = table.reward[k]
        terminated[i] = table.terminated[k]


@njit(cache=True, nogil=True)
def settle(
    batch: Batch, limit: int, n: int, obs: NDArray[Any], terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]
) -> tuple[int, int]:
    """Write down where all have come to and how long it took; how many episodes end here, and how many only waited.

    A loop of its own: without look-ups it runs on vectors, which halves the time of a step. n is the number of states.
    """
    tick = np.int32(limit > 0)
    ended: Any = 0
    waited: Any = 0
    for i in range(len(obs)):
        s = np.int32(obs[i])
        steps = batch.elapsed[i] + tick
        over = (steps == limit) | terminated[i]
        truncated[i] = steps == limit
        batch.state[i] = s + n if over else s
        batch.elapsed[i] = np.int32(-1) if over else steps
        ended += over
        waited += s >= n
    return ended, waited


@njit(cache=True, nogil=True)
def restart(mask: NDArray[np.bool_], batch: Batch, table: Table, obs: NDArray[Any]) -> None:
    """Begin an episode where mask holds: one random number, if there are several starts, decides where."""
    for i in range(len(mask)):
        if mask[i]:
            start: Any = table.starts[0]
            if len(table.starts) > 1:
                start = table.starts[np.searchsorted(table.start_threshold, random_53(batch.rng, i), side="right")]
            batch.state[i] = start
            batch.elapsed[i] = 0
            obs[i] = start


@njit(cache=True, nogil=True)
def ripen(obs: NDArray[Any], step: int, change: Change | None, mask: NDArray[np.bool_]) -> None:
    """Count a step (0 or 1) where mask holds, and change the form of those that are due and do not stand in the way."""
    if change is not None:
        for i in range(len(mask)):
            if mask[i]:
                change.lived[i] += step
                ahead = change.form[i] + 1
                if ahead < len(change.wall) and change.lived[i] >= change.at and not change.wall[ahead, obs[i]]:
                    change.form[i] = ahead


@njit(cache=True, nogil=True)
def move(
    mode: int,
    actions: NDArray[Any],
    batch: Batch,
    limit: int,
    table: Table,
    obs: NDArray[Any],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    final: NDArray[Any],
) -> Any:
    """One step of all, restarts included; how many episodes ended. In SAME_STEP final receives the successors of those."""
    if table.threshold.shape[1] > 0:
        look_up(actions, batch, batch.change, batch.rng, table, obs, reward, terminated)
    else:
        look_up(actions, batch, batch.change, None, table, obs, reward, terminated)
    ended, waited = settle(batch, limit, table.n_states, obs, terminated, truncated)
    if batch.change is not None:
        np.less(obs, table.n_states, batch.mask)
        ripen(obs, 1, batch.change, batch.mask)
    if (mode == SAME_STEP and ended > 0) or (mode == NEXT_STEP and waited > 0):
        if mode == SAME_STEP:
            final[:] = obs
            np.logical_or(terminated, truncated, batch.mask)
        else:
            np.greater_equal(obs, table.n_states, batch.mask)
        restart(batch.mask, batch, table, obs)
        ripen(obs, 0, batch.change, batch.mask)
    return ended


@njit(cache=True, nogil=True)
def step(
    mode: int, limit: int, final: NDArray[Any], state: NDArray[np.int32], elapsed: NDArray[np.int32],
    rng: NDArray[np.uint64], stream: NDArray[np.uint64], mask: NDArray[np.bool_], change: Change | None,
    base: NDArray[Any], threshold: NDArray[np.uint64], offset: NDArray[Any], pays: NDArray[np.float64],
    ends: NDArray[np.bool_], starts: NDArray[Any], start_threshold: NDArray[np.uint64], n_states: np.int32, n_actions: int,
    actions: NDArray[Any], obs: NDArray[Any], reward: NDArray[np.float64], terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
) -> Any:  # fmt: skip
    """`move`, after a look at the actions; a negative number says why nothing was done.

    The fields of batch and table are arguments of their own: taking a tuple apart at each call from Python costs 2 µs.
    """
    largest = np.uint64(0)
    for i in range(len(actions)):
        largest = max(largest, np.uint64(actions[i]))
    if largest >= np.uint64(n_actions):
        return BAD_ACTION
    if mode == DISABLED and np.max(state) >= n_states:
        return NEEDS_RESET
    batch = Batch(state, elapsed, rng, stream, mask, change)
    table = Table(base, threshold, offset, pays, ends, starts, start_threshold, n_states, n_actions)
    return move(mode, actions, batch, limit, table, obs, reward, terminated, truncated, final)


@njit(cache=True, nogil=True)
def reset(mask: NDArray[np.bool_], start: int, batch: Batch, table: Table, obs: NDArray[Any]) -> None:
    """Begin an episode where mask holds, in state start, or where the distribution of starts says if that is negative."""
    for i in range(len(mask)):
        obs[i] = batch.state[i] % table.n_states
        if mask[i] and start >= 0:
            batch.state[i] = start
            batch.elapsed[i] = 0
            obs[i] = start
    if start < 0:
        restart(mask, batch, table, obs)
    ripen(obs, 0, batch.change, mask)

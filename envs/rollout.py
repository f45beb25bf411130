"""Many steps of a batch of grid worlds without leaving compiled code, and the arrays that they fill, time first."""

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.kernels import Batch, Change, move
from envs.modes import NEXT_STEP
from envs.tables import Table

BLOCK: Final = 4096  # sub-environments that go through time together: their state stays in the cache
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Rollout(NamedTuple):
    """T steps of N sub-environments, small dtypes; `rollout` of `GridWorldVectorEnv` says what each row holds."""

    observations: NDArray[np.int32]  # [T + 1, N]  before each action, and after the last one
    actions: NDArray[np.uint8]  # [T, N]
    rewards: NDArray[np.float64]  # [T, N]
    terminated: NDArray[np.bool_]  # [T, N]
    truncated: NDArray[np.bool_]  # [T, N]
    next_observations: NDArray[np.int32]  # [T, N]  the true successors, never the start of the next episode


def buffers(out: Rollout | None, steps: int, num_envs: int) -> Rollout:
    """Return out if it can take T steps of N sub-environments, else say what does not fit; None: new buffers."""
    new = empty(steps if out is None else 0, num_envs)
    if out is None:
        return new
    arrays: list[tuple[str, NDArray[Any], NDArray[Any]]] = list(zip(Rollout._fields, out, new, strict=True))
    for name, given, asked in arrays:
        shape = (steps + len(asked), num_envs)
        if given.shape != shape or given.dtype != asked.dtype or not given.flags.carray:
            found = f"{given.dtype}{list(given.shape)}{'' if given.flags.carray else ', not contiguous or read-only'}"
            raise ValueError(
                f"out.{name} is {found}; {asked.dtype}{list(shape)} is needed, as a first rollout returns it"
            )
    return out


def empty(steps: int, num_envs: int) -> Rollout:
    """Buffers for T steps of N sub-environments; their contents are undefined."""
    shape = (steps, num_envs)
    return Rollout(
        np.empty((steps + 1, num_envs), np.int32),
        np.empty(shape, np.uint8),
        np.empty(shape),
        np.empty(shape, np.bool_),
        np.empty(shape, np.bool_),
        np.empty(shape, np.int32),
    )


def split_mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's word for the state z (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


_split_mix = njit(cache=True, nogil=True)(split_mix)


@njit(cache=True, nogil=True)
def draw_actions(stream: NDArray[np.uint64], n_actions: int, actions: NDArray[Any]) -> None:
    """A uniform action each: the upper 32 bits of the stream's next word, times n_actions / 2³²."""
    for i in range(len(stream)):
        z = stream[i] + GOLDEN
        stream[i] = z
        actions[i] = (_split_mix(z) >> np.uint64(32)) * np.uint64(n_actions) >> np.uint64(32)


@njit(cache=True, nogil=True)
def run(mode: int, chosen: bool, batch: Batch, limit: int, table: Table, out: Rollout) -> None:
    """T moves of all, block by block; out.actions is read where they are chosen, and drawn and written where not."""
    n_envs = len(batch.state)
    for low in range(0, n_envs, BLOCK):
        part = slice(low, min(low + BLOCK, n_envs))
        change = change_of(batch.change, part)
        block = Batch(
            batch.state[part], batch.elapsed[part], batch.rng[part], batch.stream[part], batch.mask[part], change
        )
        out.observations[0, part] = block.state % table.n_states
        for t in range(len(out.actions)):
            if not chosen:
                draw_actions(block.stream, table.n_actions, out.actions[t, part])
            successors = out.next_observations[t, part]
            ended = move(
                mode,
                out.actions[t, part],
                block,
                limit,
                table,
                out.observations[t + 1, part],
                out.rewards[t, part],
                out.terminated[t, part],
                out.truncated[t, part],
                successors,
            )
            if mode == NEXT_STEP or ended == 0:
                successors[:] = out.observations[t + 1, part]


@njit(cache=True, nogil=True)
def change_of(change: Change | None, part: slice) -> Change | None:
    """A view of some sub-environments' change."""
    if change is None:
        return None
    return Change(change.form[part], change.lived[part], change.wall, change.at)

"""What a batch of grid worlds accepts: actions, seeds and masks, each refused by name with what to do instead."""

from collections.abc import Sequence

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from envs.kernels import Batch
from envs.modes import NEEDS_RESET, NEXT_STEP
from envs.settings import is_whole
from envs.tables import Table


def whole(name: str, value: object, least: int) -> int:
    """A whole number, least or more and below 2³¹."""
    if not is_whole(value) or not least <= value < 2**31:
        raise ValueError(f"{name} is {value!r}; give a whole number, {least} or more and below 2³¹")
    return int(value)


def checked_seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """One seed or None for each sub-environment: s, s + 1, ... for a single s."""
    if seed is None:
        return [None] * num_envs
    seeds = [*seed] if isinstance(seed, Sequence | np.ndarray) else [seed, *range(int(seed) + 1, int(seed) + num_envs)]
    if len(seeds) != num_envs:
        raise ValueError(f"{len(seeds)} seeds were given; give one, or {num_envs}, one for each sub-environment")
    for s in seeds:
        if s is not None and (not is_whole(s) or s < 0):
            raise ValueError(f"a seed is {s!r}; seeds are whole numbers, 0 or more")
    return [None if s is None else int(s) for s in seeds]


def checked_mask(mask: object, num_envs: int, started: bool) -> NDArray[np.bool_]:
    """Which sub-environments to reset; None: all. Before the first reset of all, a part cannot be reset."""
    if mask is None:
        return np.ones(num_envs, np.bool_)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (num_envs,):
        raise ValueError(f"options['reset_mask'] is {mask!r}; a boolean array [{num_envs}] is needed")
    if not mask.any():
        raise ValueError("options['reset_mask'] is False everywhere; mark at least one sub-environment")
    if not started and not mask.all():
        raise ResetNeeded("a part was reset before the whole; call reset without a mask first")
    return mask


def as_actions(actions: ArrayLike, num_envs: int) -> NDArray[np.int64]:
    """Whole numbers of any kind as the array [N] that the kernel is compiled for."""
    a = np.asarray(actions)
    if a.shape != (num_envs,) or a.dtype.kind not in "iu":
        raise ValueError(f"actions are {a.dtype}{list(a.shape)}; whole numbers [{num_envs}] are needed")
    if a.dtype == np.int64 and a.flags.carray:
        return a
    return np.require(a, np.int64, ["C", "A", "W"])


def as_forces(actions: ArrayLike, num_envs: int) -> NDArray[np.float32]:
    """Numbers of any kind, one for each sub-environment, as the array [N] of float32 that the kernel is compiled for."""
    a = np.asarray(actions)
    if a.shape != (num_envs, 1) or a.dtype.kind not in "fiu":
        raise ValueError(f"actions are {a.dtype}{list(a.shape)}; numbers [{num_envs}, 1] are needed")
    return np.require(a, np.float32, ["C", "A", "W"]).ravel()


def needs_reset(over: NDArray[np.bool_]) -> ResetNeeded:
    """The error of a step where an episode is over and nobody resets it."""
    first = int(np.flatnonzero(over)[0])
    return ResetNeeded(f"sub-environment {first} is over; reset it with options={{'reset_mask': mask}}")


def as_action_rows(actions: ArrayLike, num_envs: int, n_actions: int) -> NDArray[np.integer]:
    """Legal actions [T, N]."""
    a = np.asarray(actions)
    if a.ndim != 2 or a.shape[1] != num_envs or a.dtype.kind not in "iu":
        raise ValueError(f"actions are {a.dtype}{list(a.shape)}; whole numbers [T, {num_envs}] are needed")
    bad = (a < 0) | (a >= n_actions)
    if bad.any():
        t, i = (int(index) for index in np.argwhere(bad)[0])
        raise ValueError(f"actions[{t}] of sub-environment {i} is {a[t, i]}; actions are 0 .. {n_actions - 1}")
    return a


def repaired(actions: NDArray[np.int64], reason: int, mode: int, batch: Batch, table: Table) -> NDArray[np.int64]:
    """Refused actions, made legal where a reset makes them meaningless; an error if others are illegal too."""
    waiting = batch.state >= table.n_states
    if reason == NEEDS_RESET:
        raise needs_reset(waiting)
    bad = (actions < 0) | (actions >= table.n_actions)
    blamed = bad & ~waiting if mode == NEXT_STEP else bad
    if blamed.any():
        first = int(np.flatnonzero(blamed)[0])
        raise ValueError(
            f"the action of sub-environment {first} is {actions[first]}; actions are 0 .. {table.n_actions - 1}"
        )
    return np.where(bad, 0, actions)

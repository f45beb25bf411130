"""What a feature map sees of an observation: numbers x [k] with their bounds; for a grid, its column and row."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlkit.arrays import Floats
from rlkit.learning.setting import Environment, name
from rlkit.learning.spaces import count
from rlkit.mdp import MDP

WIDE = 1e9  # a wider range is none: some environments write the largest float for infinity


class Inputs(NamedTuple):
    """The numbers of an observation."""

    spans: Floats  # [2, k] low and width; the width is infinite where there are no bounds
    states: Floats  # [S, k] the numbers of each state, where there are finitely many; else [0, k]


def inputs(env: Environment, bounds: str) -> Inputs:
    """Return the numbers that built-in feature maps see.

    A state of a grid (an environment with `shape` or `nrow` and `ncol`) is seen as (column, row), one of a product of
    finite spaces as its parts, any other as its number. A Box is seen as it is, within its bounds; a number without
    bounds is squashed, unless `bounds` gives some.

    Args:
        env: the environment.
        bounds: "low:high" of each number, comma-separated; "" for those of the space.

    Raises:
        ValueError: the observations are no numbers, or `bounds` does not fit them.
    """
    states, low, high = _finite(env)
    if states is None:
        space = env.observation_space if isinstance(env, gym.Env) else None
        if not isinstance(space, gym.spaces.Box):
            raise ValueError(
                f"the observations are {space}; a feature map needs a Box or finitely many: wrap the environment in "
                "gymnasium.wrappers.FlattenObservation, or let features be a function of yours"
            )
        low, high = (np.asarray(side, np.float64).ravel() for side in (space.low, space.high))
        states = np.zeros((0, len(low)))
    if bounds:
        low, high = _read(bounds, len(low))
    with np.errstate(over="ignore", invalid="ignore"):
        width = high - low
    bounded = np.isfinite(width) & (width <= WIDE)
    spans = np.stack([np.where(bounded, low, 0.0), np.where(bounded, np.where(width == 0.0, 1.0, width), np.inf)])
    return Inputs(np.ascontiguousarray(spans), np.ascontiguousarray(states, np.float64))


def states_of(env: Environment) -> Callable[[int], Any] | None:
    """Return the function that gives state 0 .. S-1 as the observation it is, or None where there are infinitely many."""
    if isinstance(env, MDP):
        return lambda s: s
    return None if count(env.observation_space) is None else _element(env.observation_space)


def _finite(env: Environment) -> tuple[Floats | None, Floats, Floats]:
    """Return the numbers [S, k] of each state, and the least and the greatest of each."""
    none = np.zeros(0)
    sizes = [env.n_states] if isinstance(env, MDP) else _sizes(env.observation_space)
    if sizes is None:
        return None, none, none
    if len(sizes) == 1 and isinstance(env, gym.Env):
        sizes = _grid(env, sizes[0]) or sizes
        parts = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
        parts = parts[:, ::-1] if len(sizes) == 2 else parts  # (column, row): x, then y
    else:
        parts = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    return parts.astype(np.float64), np.zeros(parts.shape[1]), parts.max(axis=0).astype(np.float64)


def _grid(env: gym.Env[Any, Any], n_states: int) -> list[int] | None:
    base = env.unwrapped
    shape = getattr(base, "shape", None) or (getattr(base, "nrow", 0), getattr(base, "ncol", 0))
    try:
        rows, cols = (int(side) for side in shape)
    except (TypeError, ValueError):
        return None
    return [rows, cols] if rows * cols == n_states else None


def _sizes(space: gym.Space[Any]) -> list[int] | None:
    """Return how many values each part of a finite space has, in the order of `numbering`."""
    if isinstance(space, gym.spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, gym.spaces.MultiDiscrete):
        return [int(n) for n in space.nvec.ravel()]
    if isinstance(space, gym.spaces.MultiBinary):
        return [2] * int(np.prod(space.n))
    if isinstance(space, gym.spaces.Tuple):
        parts = [_sizes(part) for part in space.spaces]
        return None if None in parts else [size for part in parts if part is not None for size in part]
    return None


def _element(space: gym.Space[Any]) -> Callable[[int], Any]:
    """Return the inverse of `numbering`."""
    if isinstance(space, gym.spaces.Discrete):
        return lambda s: s + int(space.start)
    if isinstance(space, gym.spaces.Tuple):
        parts, sizes = [_element(part) for part in space.spaces], [count(part) or 0 for part in space.spaces]
        return lambda s: tuple(part(int(i)) for part, i in zip(parts, np.unravel_index(s, sizes), strict=True))
    shape, sizes = space.shape or (), _sizes(space) or []
    first = space.start if isinstance(space, gym.spaces.MultiDiscrete) else 0
    return lambda s: np.reshape(np.unravel_index(s, sizes), shape) + first


def _read(bounds: str, k: int) -> tuple[Floats, Floats]:
    try:
        pairs = [[float(side) for side in pair.split(":")] for pair in bounds.split(",")]
        table = np.array(pairs).reshape(len(pairs), 2)
    except ValueError:
        raise ValueError(
            f"bounds is {bounds!r}; write low:high for each number, as in '-1.2:0.6, -0.07:0.07'"
        ) from None
    if len(table) != k or not (np.isfinite(table).all() and (table[:, 0] < table[:, 1]).all()):
        raise ValueError(f"bounds is {bounds!r}; it needs {k} pairs low:high, each finite with low below high")
    return table[:, 0], table[:, 1]


def where(env: Environment) -> str:
    """Return what an error calls the environment."""
    return "the MDP" if isinstance(env, MDP) else name(env)

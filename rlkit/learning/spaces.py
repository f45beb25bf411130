"""Observations and actions as whole numbers: the finite spaces of Gymnasium, counted."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np


def count(space: gym.Space[Any]) -> int | None:
    """Return how many elements a space has: Discrete, MultiDiscrete, MultiBinary or a Tuple of such; None for others."""
    if isinstance(space, gym.spaces.Discrete):
        return int(space.n)
    if isinstance(space, gym.spaces.MultiDiscrete):
        return int(np.prod(space.nvec))
    if isinstance(space, gym.spaces.MultiBinary):
        return int(2 ** np.prod(space.n))
    if isinstance(space, gym.spaces.Tuple):
        sizes = [count(part) for part in space.spaces]
        return None if None in sizes else int(np.prod([size for size in sizes if size is not None]))
    return None


def numbering(space: gym.Space[Any]) -> Callable[[Any], int]:
    """Return the function that gives an element of a finite space its number, 0 .. count - 1, the last part fastest."""
    if isinstance(space, gym.spaces.Discrete):
        start = int(space.start)
        return int if start == 0 else lambda x: int(x) - start
    if isinstance(space, gym.spaces.Tuple):
        parts = [numbering(part) for part in space.spaces]
        sizes = [count(part) or 0 for part in space.spaces]

        def of_tuple(x: Any) -> int:
            number = 0
            for part, size, element in zip(parts, sizes, x, strict=True):
                number = number * size + part(element)
            return number

        return of_tuple
    if isinstance(space, gym.spaces.MultiDiscrete):
        dims, base = space.nvec.ravel(), space.start.ravel()
    elif isinstance(space, gym.spaces.MultiBinary):
        dims, base = np.full(int(np.prod(space.n)), 2), np.zeros(int(np.prod(space.n)), np.int64)
    else:
        raise ValueError(
            f"the space is {space}; it must be finite: Discrete, MultiDiscrete, MultiBinary or a Tuple of such"
        )
    weight = np.append(np.cumprod(dims[:0:-1])[::-1], 1).astype(np.int64)
    return lambda x: int((np.ravel(x) - base) @ weight)

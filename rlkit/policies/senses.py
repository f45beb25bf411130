"""Senses: observations of any space as one array a step, checked on the way in.

Discrete: an index, int64, shape (). An image (a uint8 Box of three axes): as it is. Everything else: float32 [D], in the order
and with the one-hot codes of `gymnasium.spaces.flatten`; in a Dict or Tuple, which may hold images, `parts` says what stands where.
"""

import math
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Kind = Literal["vector", "index", "image"]
Packed = NDArray[Any]  # [N, *shape]


class Part(NamedTuple):
    """A stretch of the packed observation that is one thing."""

    kind: Kind
    where: slice  # in the last axis of a flat observation
    shape: tuple[int, ...]  # of an image; else the length of the stretch


class Senses:
    """How observations of a space become arrays.

    Args:
        space: of one environment's observations.

    Raises:
        ValueError: the space has no fixed size.
    """

    def __init__(self, space: gym.Space[Any]) -> None:
        self.space = space
        self._leaves = _leaves(space)
        kinds = [_kind(leaf) for _, leaf in self._leaves]
        sizes = [_size(leaf) for _, leaf in self._leaves]
        ends = np.cumsum(sizes).tolist()
        self.parts = tuple(
            Part(
                kind if kind == "image" else "vector",
                slice(end - size, end),
                _shape(leaf) if kind == "image" else (size,),
            )
            for kind, size, end, (_, leaf) in zip(kinds, sizes, ends, self._leaves, strict=True)
        )
        self.shape: tuple[int, ...] = (sum(sizes),)
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self.kind: Kind = "vector"
        if len(kinds) == 1 and self._leaves[0][0] == () and kinds[0] != "vector":
            self.kind = kinds[0]
            self.shape = _shape(space)
            self.dtype = np.dtype(np.int64 if self.kind == "index" else np.uint8)
            self.parts = (Part(self.kind, self.parts[0].where, self.shape if self.kind == "image" else (sizes[0],)),)

    def pack(self, obs: Any) -> Packed:
        """Return observations as an array [N, *shape].

        Args:
            obs: a batch as vector environments give it, one observation (N = 1), or a list of observations.

        Raises:
            ValueError: an observation has another shape than the space's.
        """
        if isinstance(obs, list):
            return np.concatenate([self.pack(one) for one in obs])
        found = [_codes(leaf, _pick(obs, path)) for path, leaf in self._leaves]
        if self.kind == "index":
            return np.asarray(found[0] - self.space.start, np.int64)  # type: ignore[attr-defined]  # Discrete has it
        if self.kind == "image":
            return found[0].astype(np.uint8, copy=False)
        flat = [_one_hot(leaf, codes) for (_, leaf), codes in zip(self._leaves, found, strict=True)]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)

    def is_batch(self, obs: Any) -> bool:
        """Whether these are several observations, and not one."""
        if isinstance(obs, list):
            return True
        path, leaf = self._leaves[0]
        return np.ndim(_pick(obs, path)) > len(_shape(leaf))

    def check(self, packed: Packed, when: str = "") -> Packed:
        """Return packed observations if all numbers in them are finite.

        Args:
            packed: [N, *shape], or [N, T, *shape].
            when: words for the error, such as "at step 12".

        Raises:
            ValueError: naming the row, which is the environment's number, and its first bad value.
        """
        if self.kind == "vector" and not np.isfinite(packed).all():
            bad = ~np.isfinite(packed).reshape(len(packed), -1)
            row = int(bad.any(axis=1).argmax())
            value, column = packed.reshape(len(packed), -1)[row, bad[row].argmax()], int(bad[row].argmax())
            raise ValueError(
                f"the observation of environment {row} {when} is {value} at place {column}".replace("  ", " ")
            )
        return packed


def _leaves(space: gym.Space[Any], path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], gym.Space[Any]]]:
    if isinstance(space, spaces.Dict):
        return [leaf for key, inner in space.spaces.items() for leaf in _leaves(inner, (*path, key))]
    if isinstance(space, spaces.Tuple):
        return [leaf for i, inner in enumerate(space.spaces) for leaf in _leaves(inner, (*path, i))]
    if isinstance(space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        return [(path, space)]
    where = f" at {'.'.join(map(str, path))}" if path else ""
    raise ValueError(
        f"observations are {type(space).__name__}{where}, which has no fixed size; a network takes Box, Discrete, MultiDiscrete, "
        "MultiBinary, and Dict and Tuple of them: wrap the environment with gymnasium.wrappers.TransformObservation"
    )


def _kind(leaf: gym.Space[Any]) -> Kind:
    if isinstance(leaf, spaces.Discrete):
        return "index"
    image = isinstance(leaf, spaces.Box) and leaf.dtype == np.uint8 and len(leaf.shape) == 3
    return "image" if image else "vector"


def _shape(leaf: gym.Space[Any]) -> tuple[int, ...]:
    return tuple(leaf.shape or ())


def _size(leaf: gym.Space[Any]) -> int:
    if isinstance(leaf, spaces.Discrete):
        return int(leaf.n)
    if isinstance(leaf, spaces.MultiDiscrete):
        return int(leaf.nvec.sum())
    return math.prod(_shape(leaf))


def _pick(obs: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        obs = obs[key]
    return obs


def _codes(leaf: gym.Space[Any], value: Any) -> NDArray[Any]:
    """The values of a leaf as an array [N, *shape of the leaf]."""
    array, shape = np.asarray(value), _shape(leaf)
    if array.shape == shape:
        array = array[None]
    if array.shape[1:] != shape:
        raise ValueError(f"an observation has shape {list(array.shape)}; the space {leaf} has {list(shape)}")
    return array


def _one_hot(leaf: gym.Space[Any], codes: NDArray[Any]) -> NDArray[np.float32]:
    """Flatten a leaf's values to float32 [N, size], as `gymnasium.spaces.flatten` does one by one."""
    if isinstance(leaf, spaces.Discrete):
        one_hot: NDArray[np.float32] = np.eye(int(leaf.n), dtype=np.float32)[codes - leaf.start]
        return one_hot
    if isinstance(leaf, spaces.MultiDiscrete):
        columns = (codes - leaf.start).reshape(len(codes), -1)
        choices = leaf.nvec.ravel()
        return np.concatenate([np.eye(n, dtype=np.float32)[columns[:, i]] for i, n in enumerate(choices)], axis=1)
    flat: NDArray[np.float32] = np.asarray(codes.reshape(len(codes), -1), np.float32)
    return flat

"""Copies of an environment: how they are made, and how each can be brought back into the middle of an episode."""

import copy
import pickle
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.tabular.random import to_generator

World = gym.Env[Any, Any]
Source = World | str | Callable[[], World]
_SEEDS = 2**31  # what Gymnasium takes everywhere
_NO_COPY = (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError, pickle.PicklingError)


class Reseeded(gym.Wrapper[Any, Any, Any, Any]):
    """An environment each of whose episodes begins with a seed of its own, so that it can be found again.

    Where it stands is its stream of seeds, the seed of the episode under way and the actions since. `Reseeded` knows nothing
    else of the environment; what outlives an episode there, such as a running mean in a wrapper, is not brought back.

    Args:
        env: with all of the user's wrappers.
        seed: of the stream that the seeds are drawn from.
    """

    def __init__(self, env: World, seed: int) -> None:
        super().__init__(env)
        self.pending: Mapping[str, Any] | None = None  # where the next reset is to lead
        self._seeds = np.random.Generator(np.random.PCG64(seed))
        self._seed = -1
        self._actions: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode with this seed, by default the next of the stream; or come back to what is pending."""
        if self.pending is not None:
            state, self.pending = self.pending, None
            return self._come_back(state)
        self._seed = int(self._seeds.integers(_SEEDS)) if seed is None else seed
        self._actions = []
        return self.env.reset(seed=self._seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, and remember it."""
        self._actions.append(action)
        obs, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            obs = copy.deepcopy(obs)  # a reset follows, which may write into the same array
        return obs, reward, terminated, truncated, info

    def position(self) -> dict[str, Any]:
        """Return where the environment stands, as arrays: what `pending` takes."""
        bits: Any = self._seeds.bit_generator.state
        words = [bits["state"][name] for name in ("state", "inc")]
        row = np.array([half for word in words for half in (word >> 64, word & (2**64 - 1))], np.uint64)
        spare = np.array([bits["has_uint32"], bits["uinteger"]], np.uint32)
        return {"stream": row, "spare": spare, "seed": self._seed, "actions": np.array(self._actions)}

    def _come_back(self, state: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        self._seeds = to_generator(np.asarray(state["stream"]))
        bits: Any = self._seeds.bit_generator.state
        self._seeds.bit_generator.state = {
            **bits, "has_uint32": int(state["spare"][0]), "uinteger": int(state["spare"][1])
        }  # fmt: skip
        self._seed, self._actions = int(state["seed"]), plain(np.asarray(state["actions"]))
        obs, info = self.env.reset(seed=self._seed)
        for action in self._actions:
            obs, _, _, _, info = self.env.step(action)
        return obs, info


def plain(actions: NDArray[Any]) -> list[Any]:
    """Return actions one by one; whole numbers as Python's, whose membership in a Discrete space is found out ten times faster."""
    return actions.tolist() if actions.ndim == 1 and actions.dtype.kind == "i" else list(actions)


def factory(source: Source) -> Callable[[], World]:
    """Return what makes one copy after another.

    Args:
        source: the id of an environment, an environment (which itself is left as it is), or a function that makes one.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(source, str):
        return partial(gym.make, source)
    if isinstance(source, gym.vector.VectorEnv):
        raise ValueError("this is a vector of environments; give one environment, and envs=... for how many copies")
    if isinstance(source, gym.Env):
        return partial(duplicate, source)
    if callable(source):
        return source
    raise ValueError(f"the environment is {source!r}; give a Gymnasium environment, the id of one, or a function")


def duplicate(env: World) -> World:
    """Return a copy of an environment with all its wrappers; where it has what cannot be copied, it is made anew from its spec.

    Raises:
        ValueError: neither can be done.
    """
    try:
        return copy.deepcopy(env)
    except _NO_COPY as error:
        if env.spec is None:
            raise ValueError(f"{name(env)} cannot be copied ({error}); give a function that makes it") from error
        return gym.make(env.spec)


def name(env: World) -> str:
    """Return what to call an environment."""
    return env.spec.id if env.spec else type(env.unwrapped).__name__


def seeds_of(seed: int, first: int, count: int) -> NDArray[np.int64]:
    """Return the seeds of copies first .. first + count - 1 of an agent's seed; that of copy 0 is `env_seed(seed)`."""
    words = np.random.SeedSequence(seed).spawn(2)[1].generate_state(first + count)
    return words[first:].astype(np.int64)

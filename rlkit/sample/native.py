"""Native batches: which environments have one, and its steps; a compiled batch gives the numbers that the environments would."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
from numpy.typing import NDArray

from rlkit.policies.senses import Senses
from rlkit.sample.copies import World, name
from rlkit.sample.outcome import Outcome

_OURS = "envs."  # where an entry point of a batch that can be brought back begins
_LIVING = {"s", "state", "steps", "steps_beyond_terminated", "last_u", "isopen", "render_mode"}  # change in use


class Batch(Protocol):
    """A compiled batch in the mode SAME_STEP that can be brought back."""

    def reset(self, *, seed: Sequence[int]) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin episodes."""
        ...

    def step(self, actions: NDArray[Any]) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take an action in each."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return its arrays."""
        ...

    def restore(self, state: Mapping[str, Any]) -> NDArray[Any]:
        """Take over its arrays."""
        ...


class Native:
    """N copies in one compiled batch."""

    def __init__(self, batch: Batch, senses: Senses, seeds: Sequence[int]) -> None:
        self._batch, self._senses = batch, senses
        self._masks: list[Any] = [None] * len(seeds)
        self._seeds = seeds

    def begin(self, seeds: Sequence[int] | None = None) -> tuple[NDArray[Any], list[Any]]:
        """Begin an episode in each copy; observations and masks."""
        obs, _ = self._batch.reset(seed=self._seeds if seeds is None else seeds)
        return self._senses.pack(obs), self._masks

    def step(self, actions: NDArray[Any], resting: NDArray[np.bool_] | None) -> Outcome:  # noqa: ARG002 - all are stepped
        """Take an action in each copy."""
        raw, rewards, terminated, truncated, infos = self._batch.step(actions)
        obs = next_obs = self._senses.pack(raw)
        if infos:
            over = terminated | truncated
            next_obs = obs.copy()
            next_obs[over] = self._senses.pack(np.array(infos["final_obs"][over].tolist()))
        return Outcome(obs, next_obs, rewards, terminated, truncated, self._masks)

    def state(self) -> dict[str, Any]:
        """Return the batch's arrays."""
        return dict(self._batch.state())

    def restore(self, state: Mapping[str, Any]) -> tuple[NDArray[Any], list[Any]]:
        """Take over the batch's arrays."""
        return self._senses.pack(self._batch.restore(state)), self._masks

    def close(self) -> None:
        """Nothing is open."""


def native(env: World) -> Callable[[int], Batch] | str:
    """Return what makes a native batch of copies of an environment; or why there is none."""
    spec = env.spec
    if spec is None:
        return f"{name(env)} was not made by gym.make"
    for identity in (spec.id, f"rlkit/{spec.id}"):
        found = gym.registry.get(identity)
        if found is not None and str(found.vector_entry_point).startswith(_OURS):
            break
    else:
        return f"there is no compiled batch of {spec.id}"
    limit: int | None = None
    inner = env
    while isinstance(inner, gym.Wrapper):
        if type(inner) is TimeLimit:
            steps = int(inner._max_episode_steps)  # noqa: SLF001 - Gymnasium shows it nowhere else
            limit = steps if limit is None else min(limit, steps)
        elif type(inner) not in (OrderEnforcing, PassiveEnvChecker):
            return f"{type(inner).__name__} is wrapped around {spec.id}"
        inner = inner.env
    arguments = {key: value for key, value in spec.kwargs.items() if key != "render_mode"}
    fresh: Any = load_env_creator(str(spec.entry_point))(**arguments)
    changed = _differences(inner, fresh)
    if changed:
        return f"{', '.join(changed)} of {spec.id} was changed after it was made"
    create: Any = load_env_creator(str(found.vector_entry_point))
    return lambda count: create(
        num_envs=count, max_episode_steps=limit, autoreset_mode=AutoresetMode.SAME_STEP, **arguments
    )


def _differences(env: World, fresh: World) -> list[str]:
    """The settings in which an environment is not as it was made."""
    if type(env) is not type(fresh):
        return ["the class"]
    names = sorted(key for key in {*vars(env), *vars(fresh)} if not key.startswith("_") and key not in _LIVING)
    return [key for key in names if not _same(getattr(env, key, None), getattr(fresh, key, None))]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return np.array_equal(left, right)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    settings = (bool, int, float, str, np.generic)
    return not (isinstance(left, settings) or isinstance(right, settings)) or bool(left == right)

"""Copies of any environment, stepped one after the other or each in a process of its own."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from numpy.typing import NDArray

from rlkit.policies.senses import Senses
from rlkit.sample.copies import Reseeded, World, plain
from rlkit.sample.outcome import Outcome

MASK = "action_mask"


class Loop:
    """N copies, stepped one after the other; Gymnasium's SyncVectorEnv without what it does besides."""

    def __init__(self, make: Callable[[], World], senses: Senses, seeds: Sequence[int]) -> None:
        self._envs = [Reseeded(make(), seed) for seed in seeds]
        self._senses = senses
        self._plain = isinstance(senses.space, gym.spaces.Box | gym.spaces.Discrete)
        self._obs: list[Any] = [None] * len(seeds)
        self._masks: list[Any] = [None] * len(seeds)

    def begin(self, seeds: Sequence[int] | None = None) -> tuple[NDArray[Any], list[Any]]:
        """Begin an episode in each copy; observations and masks."""
        for i, env in enumerate(self._envs):
            self._obs[i], info = env.reset(seed=None if seeds is None else int(seeds[i]))
            self._masks[i] = info.get(MASK)
        return self._packed(), self._masks

    def step(self, actions: NDArray[Any], resting: NDArray[np.bool_] | None) -> Outcome:
        """Take an action in each copy that does not rest."""
        observations, masks = self._obs, self._masks
        count = len(observations)
        rewards, (terminated, truncated) = np.zeros(count), np.zeros((2, count), np.bool_)
        finals: dict[int, NDArray[Any]] = {}
        for i, (env, action) in enumerate(zip(self._envs, plain(actions), strict=True)):
            if resting is not None and resting[i]:
                continue
            obs, reward, ended, cut, info = env.step(action)
            rewards[i] = float(reward)
            if ended or cut:
                terminated[i], truncated[i] = ended, cut
                finals[i] = self._senses.pack(obs)[0]
                obs, info = env.reset()
            observations[i], masks[i] = obs, info.get(MASK)
        packed = successors = self._packed()
        if finals:
            successors = packed.copy()
            for i, final in finals.items():
                successors[i] = final
        return Outcome(packed, successors, rewards, terminated, truncated, masks)

    def state(self) -> dict[str, Any]:
        """Return where each copy stands."""
        return {str(i): env.position() for i, env in enumerate(self._envs)}

    def restore(self, state: Mapping[str, Any]) -> tuple[NDArray[Any], list[Any]]:
        """Bring each copy back, by playing its episode again."""
        for i, env in enumerate(self._envs):
            env.pending = state[str(i)]
        return self.begin()

    def close(self) -> None:
        """Close the copies."""
        for env in self._envs:
            env.close()

    def _packed(self) -> NDArray[Any]:
        return self._senses.pack(np.array(self._obs) if self._plain else list(self._obs))


class Processes:
    """N copies, each in a process of its own; what runs there is what `Loop` runs."""

    def __init__(self, make: Callable[[], World], senses: Senses, seeds: Sequence[int]) -> None:
        self._batch: Any = AsyncVectorEnv(
            [partial(_reseeded, make, seed) for seed in seeds], autoreset_mode=AutoresetMode.SAME_STEP
        )
        self._senses, self._count = senses, len(seeds)

    def begin(self, seeds: Sequence[int] | None = None) -> tuple[NDArray[Any], list[Any]]:
        """Begin an episode in each copy; observations and masks."""
        obs, infos = self._batch.reset(seed=None if seeds is None else [int(seed) for seed in seeds])
        return self._senses.pack(obs), self._masks(infos)

    def step(self, actions: NDArray[Any], resting: NDArray[np.bool_] | None) -> Outcome:  # noqa: ARG002 - all are stepped
        """Take an action in each copy."""
        raw, rewards, terminated, truncated, infos = self._batch.step(actions)
        obs = next_obs = self._senses.pack(raw)
        over = np.flatnonzero(terminated | truncated)
        if len(over):
            next_obs = obs.copy()
            for i in over:
                next_obs[i] = self._senses.pack(infos["final_obs"][i])[0]
        return Outcome(obs, next_obs, rewards, terminated, truncated, self._masks(infos))

    def state(self) -> dict[str, Any]:
        """Return where each copy stands."""
        return {str(i): position for i, position in enumerate(self._batch.call("position"))}

    def restore(self, state: Mapping[str, Any]) -> tuple[NDArray[Any], list[Any]]:
        """Bring each copy back, by playing its episode again in its process."""
        self._batch.set_attr("pending", [state[str(i)] for i in range(self._count)])
        return self.begin()

    def close(self) -> None:
        """End the processes."""
        self._batch.close()

    def _masks(self, infos: Mapping[str, Any]) -> list[Any]:
        if MASK not in infos:
            return [None] * self._count
        return [mask if there else None for mask, there in zip(infos[MASK], infos[f"_{MASK}"], strict=True)]


def _reseeded(make: Callable[[], World], seed: int) -> Reseeded:
    return Reseeded(make(), seed)

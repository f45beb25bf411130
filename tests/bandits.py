"""Worlds of one decision for agents that learn values: what is right can be written down."""
# ruff: noqa: ARG002 - the signatures are Gymnasium's

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete


class Once(gym.Env[Any, Any]):
    """One step and it is over.

    Args:
        space: of the actions.
        reward: of an action, with a generator for chance.
    """

    observation_space = Box(-1.0, 1.0, (1,))

    def __init__(self, space: gym.Space[Any], reward: Callable[[Any, np.random.Generator], float]) -> None:
        self.action_space, self.reward = space, reward

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.ones(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.ones(1, np.float32), self.reward(action, self.np_random), True, False, {}


class Forever(gym.Env[Any, Any]):
    """Two actions, of which nothing comes but a reward of 1/2, again and again."""

    observation_space = Box(-1.0, 1.0, (1,))
    action_space = Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.zeros(1, np.float32), 0.5, False, False, {}


QUADRATIC = Once(Box(-2.0, 2.0, (1,)), lambda a, _: -float((a[0] - 1.0) ** 2))  # best at 1
EVENLY = {"warmup": 200, "batch": 32, "envs": 8, "train_every": 8, "hidden": (16,), "activation": "tanh"}
CHOOSING = {**EVENLY, "hidden": (), "epsilon": 1.0}
FORGETFUL = {"hidden": (), "gamma": 0.5, "lr": 0.0, "warmup": 40, "batch": 64, "envs": 1, "train_every": 40}

"""One-state worlds with a model, which bandits need: three arms, some of which pay by chance, some of which end the episode."""

from typing import ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.envs.toy_text.utils import categorical_sample


class OneState(gym.Env[int, int]):
    """The model of toy-text, and its draws: one for the start, one for each outcome."""

    observation_space = gym.spaces.Discrete(1)
    action_space = gym.spaces.Discrete(3)
    initial_state_distrib = np.ones(1)
    P: ClassVar = {
        0: {
            0: [(0.5, 0, 0.0, False), (0.5, 0, 1.0, False)],
            1: [(0.8, 0, -1.0, False), (0.1, 0, 10.0, False), (0.1, 0, 10.0, True)],
            2: [(1.0, 0, 0.25, False)],
        }
    }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        return int(categorical_sample(self.initial_state_distrib, self.np_random)), {}

    def step(self, action):
        outcomes = self.P[0][int(action)]
        _, s, r, terminated = outcomes[categorical_sample([p for p, *_ in outcomes], self.np_random)]
        return s, r, terminated, False, {}


if "OneState-v0" not in gym.registry:
    gym.register("OneState-v0", entry_point="tests.one_state:OneState")

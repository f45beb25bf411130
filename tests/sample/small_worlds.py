"""Small environments for tests of sampling: masks, awkward spaces, reused buffers, numbers gone wrong."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Counter(gym.Env):
    """Counts steps of the episode in a Dict observation that is written in place; ends at a random length, by its seed."""

    def __init__(self, masked=True):
        self.observation_space = spaces.Dict(
            {"time": spaces.Box(0, 100, (2,), np.float32), "kind": spaces.Discrete(3, start=1)}
        )
        self.action_space = spaces.Discrete(4, start=-1)
        self.masked = masked
        self.seen = {"time": np.zeros(2, np.float32), "kind": 1}
        self.taken = []

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        super().reset(seed=seed)
        self.length = int(self.np_random.integers(2, 6))
        self.seen["time"][:] = 0, self.length
        self.seen["kind"] = int(self.np_random.integers(1, 4))
        return self.seen, self.info()

    def step(self, action):
        assert self.action_space.contains(action)
        self.taken.append(int(action))
        self.seen["time"][0] += 1
        self.seen["kind"] = int(self.np_random.integers(1, 4))
        over = self.seen["time"][0] >= self.length
        return (
            self.seen,
            float(action) + self.np_random.random(),
            bool(over),
            bool(over and self.length == 3),
            self.info(),
        )

    def info(self):
        mask = np.ones(4, np.int8)
        mask[int(self.seen["time"][0]) % 4] = 0
        return {"action_mask": mask} if self.masked else {}


class Wheel(gym.Env):
    """A continuous state turned by bounded continuous actions, with noise; never ends by itself."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = spaces.Box(np.array([-1.0, -0.5], np.float32), np.array([1.0, 2.0], np.float32))

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        super().reset(seed=seed)
        self.x = self.np_random.normal(size=2)
        return self.x, {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.x = 0.9 * self.x + action + 0.1 * self.np_random.normal(size=2)
        return self.x, float(-(self.x**2).sum()), False, False, {}


class Switches(gym.Env):
    """Several discrete choices, with masks as a tuple; the observation is a small image."""

    observation_space = spaces.Box(0, 255, (5, 4, 3), np.uint8)
    action_space = spaces.MultiDiscrete([2, 3])

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        super().reset(seed=seed)
        return self.picture(), {"action_mask": (np.array([1, 0], np.int8), np.array([1, 1, 0], np.int8))}

    def step(self, action):
        assert self.action_space.contains(action)
        over = bool(self.np_random.random() < 0.2)
        return self.picture(), float(action.sum()), over, False, {}

    def picture(self):
        return self.np_random.integers(0, 256, (5, 4, 3)).astype(np.uint8)


class Faulty(gym.Env):
    """Goes wrong in its third step, in the way that it is told."""

    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, fault):
        self.fault = fault

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):  # noqa: ARG002
        self.t += 1
        wrong = self.t == 3
        obs = np.array([0, np.nan if wrong and self.fault in ("obs", "last obs") else 0], np.float32)
        info = {"action_mask": np.array([1, 0])} if wrong and self.fault == "late mask" else {}
        return obs, np.inf if wrong and self.fault == "reward" else 1.0, wrong and self.fault == "last obs", False, info

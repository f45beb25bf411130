"""Environments that go wrong after a while, registered for the command line: they raise, pay NaN, or press Ctrl-C."""

import os
import signal

import gymnasium as gym


class Crashing(gym.Env):
    """Two states, left and right; at its `at`-th step of all something goes wrong."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, at=0, how="raise"):
        self.at, self.how, self.steps, self.s = int(os.environ.get("CRASH_AT", at)), how, 0, 0

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        super().reset(seed=seed)
        self.s = 0
        return 0, {}

    def step(self, action):
        self.steps += 1
        reward = float(action)
        if self.steps == self.at:
            if self.how == "raise":
                raise ZeroDivisionError("a wheel came off")
            if self.how == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "nan":
                reward = float("nan")
        self.s = int(self.np_random.integers(2))
        return self.s, reward, bool(self.np_random.random() < 0.1), False, {}


gym.register("Crashing-v0", entry_point=Crashing)

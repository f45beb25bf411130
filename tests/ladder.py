"""The ladder of probe environments: each rung needs one more thing than the last, and what an agent must learn is known.

After John Schulman's and Andy Jones's advice: a critic that fits a constant; one that looks at what it sees; discounting; an
actor; an actor that looks; and a world that never ends, cut by a time limit.
"""
# ruff: noqa: ARG002 - the signatures are Gymnasium's

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

GAMMA = 0.9
LIMIT = 10  # steps after which the endless world is cut


class Rung(gym.Env[Any, Any]):
    """One probe; observations are one float, actions one of two, or with `continuous` a number that should be near 1 or -1.

    Args:
        kind: "constant", "seen", "delayed", "chosen", "both" or "endless".
        continuous: Box actions.
    """

    def __init__(self, kind: str, *, continuous: bool = False) -> None:
        self.kind, self.continuous = kind, continuous
        self.observation_space = Box(-1.0, 1.0, (1,))
        self.action_space = Box(-1.0, 1.0, (1,)) if continuous else Discrete(2)
        self._obs, self._t = 0.0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._t = 0
        self._obs = float(self.np_random.choice([-1.0, 1.0])) if self.kind in {"seen", "both"} else 0.0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._t += 1
        way = float(np.asarray(action).ravel()[0]) if self.continuous else 2.0 * int(action) - 1.0
        goal = self._obs if self.kind == "both" else 1.0
        reward = {
            "constant": 1.0,
            "seen": self._obs,
            "delayed": float(self._t == 2),
            "chosen": 1.0 - abs(way - goal),
            "both": 1.0 - abs(way - goal),
            "endless": 1.0,
        }[self.kind]
        if self.kind == "delayed":
            self._obs = 1.0
        over = self.kind != "endless" and self._t == (2 if self.kind == "delayed" else 1)
        return self._observe(), reward, over, self.kind == "endless" and self._t == LIMIT, {}

    def _observe(self) -> Any:
        return np.array([self._obs], np.float32)


VALUES = {  # what each observation is worth to who acts best
    "constant": {0.0: 1.0},
    "seen": {-1.0: -1.0, 1.0: 1.0},
    "delayed": {0.0: GAMMA, 1.0: 1.0},
    "chosen": {0.0: 1.0},
    "both": {-1.0: 1.0, 1.0: 1.0},
    "endless": {0.0: 1.0 / (1.0 - GAMMA)},
}
ACTIONS = {
    "chosen": {0.0: 1},
    "both": {-1.0: 0, 1.0: 1},
}  # the best ones; 0 and 1 stand for -1 and 1 where they are numbers


class Awkward(gym.Env[Any, Any]):
    """What a state that is not wholly saved would stumble over: Dict observations, masks, chance in steps, uneven episodes."""

    observation_space = Dict({"place": Discrete(4), "speed": Box(-10.0, 10.0, (2,))})
    action_space = Discrete(3, start=1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.speed, self.t = 0, self.np_random.normal(size=2).astype(np.float32), 0
        return self._observe(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self._info()["action_mask"][action - 1], "a forbidden action was taken"
        self.t += 1
        self.place = int((self.place + action) % 4)
        self.speed = (0.9 * self.speed + 0.1 * self.np_random.normal(size=2)).astype(np.float32)
        ends = bool(self.np_random.random() < 0.1)
        return self._observe(), float(self.speed[0]) * action, ends, self.t == 15, self._info()

    def _observe(self) -> Any:
        return {"place": self.place, "speed": self.speed}

    def _info(self) -> dict[str, Any]:
        return {"action_mask": np.array([True, self.place != 1, self.place != 2], np.int8)}


class Sick(gym.Env[Any, Any]):
    """An environment that gives what is no number at its fifth step.

    Args:
        where: "reward" or "observation".
    """

    observation_space = Box(-1.0, 1.0, (2,))
    action_space = Discrete(2)

    def __init__(self, where: str) -> None:
        self.where, self.t = where, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        bad = np.nan if self.t == 5 else 0.0
        obs = np.array([0.0, bad if self.where == "observation" else 0.0], np.float32)
        return obs, bad if self.where == "reward" else 0.0, False, False, {}

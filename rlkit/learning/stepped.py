"""The stepped driver: an agent's kernels around `env.step`, the slow twin of `rlkit.tabular.drive`."""

import math
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np

from rlkit.learning.setting import Setting, name
from rlkit.tabular.drive import ACTION, ELAPSED, EPISODES, NEW, STATE, STEPS, Place


class Method(NamedTuple):
    """An agent's kernels; see `rlkit.tabular.drive`."""

    begin: Any
    learn: Any
    run: Any  # drive(begin, learn, ...), compiled as one
    from_data: bool = False  # learn needs no more than the one step it is given, whoever chose the action


class Stepper:
    """An environment in the middle of an episode, which can be brought back there.

    An environment's randomness is its `np_random`. What is kept is its state when the episode began, and the actions
    since; replaying them on an environment made anew leads to the same place.
    """

    def __init__(self, setting: Setting, env: gym.Env[Any, Any], seed: int) -> None:
        self._env = env
        self._base = env.unwrapped
        self._setting = setting
        self._seed: int | None = seed  # of the first reset
        self._origin: dict[str, Any] = {}  # np_random when the episode began
        self._start = NEW  # the state that the agent asked to begin in
        self._actions = array("q")

    def run(self, method: Method, memory: Any, place: Place, steps: int) -> int:
        """Do what `drive` does.

        Raises:
            ValueError: a reward is not finite.
        """
        env, observe, first = self._env, self._setting.observe, self._setting.first_action
        begin, learn = method.begin, method.learn
        s, a, elapsed = int(place.now[STATE]), int(place.now[ACTION]), int(place.now[ELAPSED])
        total = float(place.total[0])
        taken = recorded = 0
        try:
            while taken < steps and recorded < len(place.returns):
                if a < 0:
                    s, a = self._begin(begin, memory)
                    elapsed, total = 0, 0.0
                obs, reward, terminated, truncated, _ = env.step(a + first)
                self._actions.append(a)
                r = float(reward)
                if not math.isfinite(r):
                    raise ValueError(
                        f"{name(env)} gave the reward {r} for action {a} in its step {place.now[STEPS] + taken}"
                    )
                taken += 1
                elapsed += 1
                total += r
                s_next = observe(memory, obs, elapsed & 1)
                a = learn(memory, s, a, r, s_next, bool(terminated), bool(truncated))
                s = s_next
                if terminated or truncated or a < 0:
                    a = NEW
                    place.returns[recorded], place.lengths[recorded] = total, elapsed
                    recorded += 1
        finally:
            place.now[STATE], place.now[ACTION], place.now[ELAPSED] = s, a, elapsed
            place.now[STEPS] += taken
            place.now[EPISODES] += recorded
            place.recorded[0] = recorded
            place.total[0] = total
        return taken

    def _begin(self, begin: Any, memory: Any) -> tuple[int, int]:
        seed, self._seed = self._seed, None
        if seed is None:
            self._origin = dict(self._base.np_random.bit_generator.state)
        else:
            self._origin = dict(gym.utils.seeding.np_random(seed)[0].bit_generator.state)
        obs, _ = self._env.reset(seed=seed)
        self._actions = array("q")
        s0 = self._setting.observe(memory, obs, 0)
        s, a = begin(memory, s0)
        self._start = NEW if s == s0 else s
        if s != s0:
            put(self._base, s)
        return s, a

    def state_dict(self) -> dict[str, Any]:
        """Return what brings the environment back to where it is."""
        started = self._seed is None
        return {
            "started": int(started),
            "origin": self._origin,
            "start": self._start,
            "actions": np.array(self._actions, np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Any], memory: Any, s: int) -> None:
        """Bring the environment back to where it was.

        Raises:
            ValueError: it does not come back, having state that outlives an episode and is not in `np_random`.
        """
        if not int(state["started"]):
            return
        self._seed, self._origin, self._start = None, dict(state["origin"]), int(state["start"])
        self._actions = array("q", [int(a) for a in state["actions"]])
        bits = getattr(np.random, str(self._origin["bit_generator"]))()
        bits.state = self._origin
        self._env.reset(seed=0)
        self._base.np_random = np.random.Generator(bits)
        obs, _ = self._env.reset()
        row = 0
        reached = self._setting.observe(memory, obs, 0)
        if self._start != NEW:
            put(self._base, self._start)
            reached = self._start
        for a in self._actions:
            obs, *_ = self._env.step(a + self._setting.first_action)
            row ^= 1
            reached = self._setting.observe(memory, obs, row)
        if reached != s:
            raise ValueError(
                f"{name(self._env)} does not come back to the state of the checkpoint ({reached}, not {s}): something in it "
                "outlives an episode and is not drawn from np_random"
            )


class _HasState(Protocol):
    s: int


def put(base: Any, s: int) -> None:
    """Put an environment into a state, by its attribute `s`, as envs.GridWorld and Gymnasium's toy-text have it.

    Raises:
        ValueError: it has none.
    """
    if not isinstance(getattr(base, "s", None), int | np.integer):
        raise ValueError(
            f"{type(base).__name__} cannot be put into a state of the agent's choice: it has no attribute `s`; take an "
            "agent without exploring starts"
        )
    world: _HasState = base
    world.s = s

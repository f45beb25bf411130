"""The stepped driver: an agent's kernels around `env.step`, the slow twin of `rlkit.tabular.drive`."""

import math
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np

from rlkit.learning.setting import Observe, Setting, name
from rlkit.tabular.drive import ACTION, ELAPSED, EPISODES, NEW, STATE, STEPS, Place
from rlkit.tabular.jit import direct


class Method(NamedTuple):
    """An agent's kernels; see `rlkit.tabular.drive`."""

    begin: Any
    learn: Any
    run: Any  # drive(begin, learn, ...), compiled as one
    from_data: bool = False  # learn needs no more than the one step it is given, whoever chose the action


class Stepper:
    """An environment in the middle of an episode, which can be brought back there.

    An environment's randomness is its `np_random`. What is kept is its state when the episode began, and the actions
    since; replaying them on an environment made anew leads to the same place. So it does after a step that raised: what
    the environment has done in it is undone before the next one.
    """

    def __init__(self, setting: Setting, env: gym.Env[Any, Any], seed: int) -> None:
        self._env = env
        self._base = env.unwrapped
        self._setting = setting
        self._seed: int | None = seed  # of the first reset
        self._origin: dict[str, Any] = {}  # np_random when the episode began
        self._start = NEW  # the state that the agent asked to begin in
        self._actions = array("q")
        self._broken = False  # whether the last step raised
        self._direct: tuple[Any, Any] | None = None  # begin and learn, for this memory's types

    def run(self, method: Method, memory: Any, place: Place, steps: int) -> int:
        """Do what `drive` does.

        Raises:
            ValueError: a reward is not finite, or an observation is out of its space.
        """
        step, observe, first = self._env.step, self._setting.observer(memory), self._setting.first_action
        n_states, actions, finite = self._setting.n_states, self._actions, math.isfinite
        begin, learn = self._kernels(method, memory)
        s, a, elapsed = int(place.now[STATE]), int(place.now[ACTION]), int(place.now[ELAPSED])
        total = float(place.total[0])
        taken = recorded = 0
        room = len(place.returns)
        if self._broken:
            self._come_back(memory, s)
        self._broken = True
        try:
            while taken < steps and recorded < room:
                if a < 0:
                    s, a = self._begin(begin, observe, memory)
                    elapsed, total = 0, 0.0
                obs, reward, terminated, truncated, _ = step(a + first)
                r = float(reward)
                s_next = observe(obs, (elapsed + 1) & 1)
                if not (finite(r) and 0 <= s_next < n_states):
                    raise ValueError(self._wrong(a, r, obs, int(place.now[STEPS]) + taken + 1))
                a_next = learn(memory, s, a, r, s_next, terminated, truncated)
                actions.append(a)
                s, a = s_next, a_next
                taken += 1
                elapsed += 1
                total += r
                if terminated or truncated or a < 0:
                    a = NEW
                    place.returns[recorded], place.lengths[recorded] = total, elapsed
                    recorded += 1
            self._broken = False
        finally:
            place.now[STATE], place.now[ACTION], place.now[ELAPSED] = s, a, elapsed
            place.now[STEPS] += taken
            place.now[EPISODES] += recorded
            place.recorded[0] = recorded
            place.total[0] = total
        return taken

    def _kernels(self, method: Method, memory: Any) -> tuple[Any, Any]:
        if self._direct is None:
            begin = direct(method.begin, memory, 0)
            self._direct = begin, direct(method.learn, memory, 0, 0, 0.0, 0, False, False)
        return self._direct

    def _begin(self, begin: Any, observe: Observe, memory: Any) -> tuple[int, int]:
        seed = self._seed
        draws = self._base.np_random if seed is None else gym.utils.seeding.np_random(seed)[0]
        origin: Any = draws.bit_generator.state  # made anew for whoever asks
        obs, _ = self._env.reset(seed=seed)
        s0 = observe(obs, 0)
        if not 0 <= s0 < self._setting.n_states:
            raise ValueError(
                f"{name(self._env)} began with the observation {obs}, which is not in its observation_space"
            )
        s, a = begin(memory, s0)
        if s != s0:
            put(self._base, s)
        self._seed, self._origin, self._start = None, origin, NEW if s == s0 else s
        del self._actions[:]
        return s, a

    def _wrong(self, a: int, r: float, obs: Any, step: int) -> str:
        what = f"observation {obs}, which is not in its observation_space," if math.isfinite(r) else f"reward {r}"
        return f"{name(self._env)} gave the {what} for action {a + self._setting.first_action} in step {step}"

    def state_dict(self) -> dict[str, Any]:
        """Return what brings the environment back to where it is."""
        return {
            "seed": self._seed,
            "origin": self._origin,
            "start": self._start,
            "actions": np.array(self._actions, np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Any], memory: Any, s: int) -> None:
        """Bring the environment back to where it was.

        Raises:
            ValueError: it does not come back, having state that outlives an episode and is not in `np_random`.
        """
        self._seed = None if state["seed"] is None else int(state["seed"])
        self._origin, self._start = dict(state["origin"]), int(state["start"])
        self._actions = array("q", [int(a) for a in state["actions"]])
        self._come_back(memory, s)
        self._broken = False

    def _come_back(self, memory: Any, s: int) -> None:
        if self._seed is not None:  # nothing has begun
            return
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
                f"{name(self._env)} does not come back to the state where it was ({reached}, not {s}): something in it "
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

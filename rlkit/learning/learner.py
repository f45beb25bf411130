"""The agent that learns from samples: its memory, its runs (one or many seeds), its reports, and exact resume."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Report
from rlkit.learning.config import Control, Learning, exploration
from rlkit.learning.memory import Memory, arrays, row, stack
from rlkit.learning.setting import Setting, name
from rlkit.learning.stepped import Method, Stepper
from rlkit.learning.truth import Judge
from rlkit.tabular.control import Table, choose
from rlkit.tabular.drive import STATE, STEPS, Place, make_place
from rlkit.tabular.prediction import cumulated, draw_action
from rlkit.tabular.random import Stream, agent_stream, env_seed, env_stream
from rlkit.tabular.schedule import schedule

MOST = 100_000  # steps between two reports where nobody says how many there will be


class Learner:
    """An agent whose memory is arrays: `seeds` independent runs of it, side by side.

    Args:
        setting: where it learns.
        config: how.
        seed: of the first run.
        method: the agent's kernels.
        memory: makes the memory of one run, given the stream of its random numbers.
        table: reads the values [S, A] or [S] out of a memory.
        judge: says how good such values are; None where nobody knows.
        policy: [S, A] that acts, for agents that learn state values; others act greedily.
    """

    def __init__(
        self,
        setting: Setting,
        config: Learning,
        seed: int,
        method: Method,
        memory: Callable[[Stream], Memory],
        table: Callable[[Memory], NDArray[np.float64]],
        judge: Judge | None,
        policy: NDArray[np.float64] | None = None,
    ) -> None:
        self.setting = setting
        self.config = config
        self.method = method
        self.step = 0  # of each run
        self.each: dict[str, NDArray[np.float64]] = {}  # the last report's scalars, one for each run
        self.returns = [np.zeros(0)] * config.seeds  # [runs] of the episodes since the last report
        self.lengths = [np.zeros(0, np.int64)] * config.seeds
        self._table, self._judge, self._policy = table, judge, policy
        self._seeds = [seed + i for i in range(config.seeds)]
        self._stacked = stack([memory(agent_stream(one)) for one in self._seeds])
        self._places = stack([make_place(env_seed(one)) for one in self._seeds])
        self._steppers: list[Stepper] = []
        if setting.world is None:
            self._steppers = [
                Stepper(setting, env, env_seed(one))
                for env, one in zip(_copies(setting, config), self._seeds, strict=True)
            ]
        self._stream = env_stream(env_seed(seed) + 1)  # for `act` alone, so that acting leaves learning as it is

    @property
    def memories(self) -> list[Memory]:
        """The memory of each run; its arrays are the agent's own."""
        return [row(self._stacked, i) for i in range(len(self._seeds))]

    @property
    def values(self) -> NDArray[np.float64]:
        """Action values [S, A] or state values [S]; with several seeds, [seeds, ...]."""
        found = [self._table(memory) for memory in self.memories]
        return found[0].copy() if len(found) == 1 else np.stack(found)

    @property
    def policy(self) -> NDArray[np.int64]:
        """The greedy actions [S] or, with several seeds, [seeds, S]; ties go to the lowest action."""
        values = self.values if self._policy is None else self._policy
        greedy: NDArray[np.int64] = values.argmax(axis=-1)
        several = self._policy is not None and len(self._seeds) > 1
        return np.tile(greedy, (len(self._seeds), 1)) if several else greedy

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the action for an observation, or the actions for a list of them; the first run's, of several.

        Control acts greedily, and with `explore` as it does while learning; prediction draws from its policy.

        Raises:
            ValueError: the observation is none that the agent knows.
        """
        if self._is_batch(obs):
            return np.array([self.act(one, explore=explore) for one in obs])
        memory = row(self._stacked, 0)
        s = self.setting.observe(memory, obs, 2)
        if not 0 <= s < self.setting.n_states:
            raise ValueError(f"the observation is {obs}, which is none of the {self.setting.n_states} states")
        if self._policy is not None:
            a = int(draw_action(cumulated(self._policy[s : s + 1]), 0, self._stream))
        elif explore:
            a = self._explore(self._table(memory)[s])
        else:
            a = int(self._table(memory)[s].argmax())
        return a + self.setting.first_action

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps in every run, reporting every `config.report` of them."""
        chunk = self.config.report or (MOST if steps == sys.maxsize else max(1, steps // 100))
        end = self.step + steps
        while self.step < end:
            self._advance(min(chunk, end - self.step))
            yield self.report()

    def state_dict(self) -> dict[str, Any]:
        """Return the memory and the place of every run, and what brings stepped environments back."""
        return {
            "step": self.step,
            "memory": dict(arrays(self._stacked)),
            "place": {key: array for key, array in arrays(self._places) if key in {"now", "total", "stream"}},
            "stepped": {str(i): stepper.state_dict() for i, stepper in enumerate(self._steppers)},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it belongs to an agent of another size, number of seeds, or engine.
        """
        if len(state["stepped"]) != len(self._steppers):
            kinds = "compiled", "stepped"
            raise ValueError(
                f"the state is of a {kinds[bool(state['stepped'])]} run with other seeds or engine; this agent is "
                f"{kinds[bool(self._steppers)]} with {len(self._seeds)} seeds"
            )
        for own, saved in ((self._stacked, state["memory"]), (self._places, state["place"])):
            for key, array in arrays(own):
                if key not in saved:
                    continue
                if np.shape(saved[key]) != array.shape:
                    raise ValueError(
                        f"{key} has shape {np.shape(saved[key])} in the state, and {array.shape} in the agent"
                    )
                array[...] = saved[key]
        self.step = int(state["step"])
        for i, stepper in enumerate(self._steppers):
            place: Place = row(self._places, i)
            stepper.load_state_dict(state["stepped"][str(i)], row(self._stacked, i), int(place.now[STATE]))

    def count(self, steps: int) -> None:
        """Count steps that every run has learned from without taking them."""
        self.step += steps
        self._places.now[:, STEPS] += steps
        self.returns = [np.zeros(0)] * len(self._seeds)
        self.lengths = [np.zeros(0, np.int64)] * len(self._seeds)

    def _advance(self, steps: int) -> None:
        runs = range(len(self._seeds))
        finished: list[list[tuple[NDArray[np.float64], NDArray[np.int64]]]] = [[] for _ in runs]

        def go(i: int) -> None:
            memory, place = row(self._stacked, i), row(self._places, i)
            left = self.step + steps - int(place.now[STEPS])  # not `steps` where an error has stopped some runs
            while left > 0:
                if self._steppers:
                    left -= self._steppers[i].run(self.method, memory, place, left)
                else:
                    left -= self.method.run(self.setting.world, memory, place, left)
                count = int(place.recorded[0])
                if count:
                    finished[i].append((place.returns[:count].copy(), place.lengths[:count].copy()))

        # Neighbouring runs share lines of the cache, which two threads would take from each other: one thread, one range.
        threads = 1 if self._steppers else min(len(runs), os.cpu_count() or 1)
        cuts = [len(runs) * i // threads for i in range(threads + 1)]

        def go_through(first: int, last: int) -> None:
            for i in range(first, last):
                go(i)

        if threads == 1:
            go_through(0, len(runs))
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(go_through, cuts[:-1], cuts[1:]))
        self.step += steps
        self.returns = [np.concatenate([part[0] for part in parts]) if parts else np.zeros(0) for parts in finished]
        self.lengths = [
            np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, np.int64) for parts in finished
        ]

    def report(self) -> Report:
        """Say how the runs stand."""
        each: dict[str, list[float]] = {}
        for i, memory in enumerate(self.memories):
            scalars: dict[str, float] = {"episodes": float(len(self.returns[i]))}
            if len(self.returns[i]):
                scalars |= {"return": float(self.returns[i].mean()), "length": float(self.lengths[i].mean())}
            else:
                scalars |= {"return": np.nan, "length": np.nan}
            if self._judge is not None:
                scalars |= self._judge(self._table(memory))
            for key, value in scalars.items():
                each.setdefault(key, []).append(value)
        self.each = {key: np.array(values) for key, values in each.items()}
        return Report(self.step, {key: _mean(values) for key, values in self.each.items()}, each)

    def _explore(self, q: NDArray[np.float64]) -> int:
        """Choose from the values [A] as while learning, with random numbers of its own; bounds count as greedy."""
        if not isinstance(self.config, Control) or self.config.explore == "ucb":
            return int(q.argmax())
        visits, clock = np.zeros((1, len(q)), np.int64), np.array([self.step])
        table = Table(
            q[None].copy(), visits, clock, self._stream, 0.0, schedule(1.0).packed(), exploration(self.config).packed()
        )
        return int(choose(table, 0))

    def _is_batch(self, obs: Any) -> bool:
        space = self.setting.env.observation_space if self.setting.env is not None else gym.spaces.Discrete(1)
        if isinstance(space, gym.spaces.Tuple):
            return not isinstance(obs, tuple) and isinstance(obs[0], tuple | list | np.ndarray)
        return np.ndim(obs) > len(space.shape or ())


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean over the runs that have the number at all."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _copies(setting: Setting, config: Learning) -> list[gym.Env[Any, Any]]:
    """Return an environment for each run: the given one, and others made like it."""
    env = setting.env
    if env is None:
        return []
    if config.seeds > 1 and env.spec is None:
        raise ValueError(
            f"{name(env)} was not made by gym.make, so that it cannot be made again for {config.seeds} seeds; register it "
            "with gym.register, and give its id"
        )
    return [env, *(gym.make(env.spec) for _ in range(config.seeds - 1) if env.spec is not None)]

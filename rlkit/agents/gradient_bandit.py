"""Gradient bandit, S&B (2.12): h(b) ← h(b) + α (r - r̄) (1{b = a} - π(b)) for every action b, π(b) ∝ exp(h(b))."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats
from rlkit.learning.bandits import check_one_state
from rlkit.learning.config import Control, Exploring, exploration
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, Setting, finite
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import Table, choose
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream
from rlkit.tabular.schedule import Rate, bounded, rate


@dataclass(frozen=True)
class Config(Control):
    """Gradient bandit, for a world of one state; gamma plays no role."""

    alpha: Rate = 0.1  # step size: a number, which may exceed 1, "1/(k+10)", "linear(0.5, 0.01, 10000)"
    explore: Exploring = "softmax"  # of the preferences; there is no other
    baseline: bool = True  # subtract the mean of the rewards so far; without, r̄ = 0


class Memory(NamedTuple):
    """The preferences, in the place of action values, and the rewards' mean."""

    table: Table
    chance: Floats  # [A]  π, room to compute in
    mean: Floats  # [1]  r̄, of the rewards before this one
    baseline: bool


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory.table, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a reward, and draw the next action."""
    table, chance = memory.table, memory.chance
    table.clock[0] += 1
    table.visits[s, a] += 1
    k = table.clock[0]
    if memory.baseline and k == 1:
        memory.mean[0] = r
    _softmax(table.q, s, rate(table.explore, k), chance)
    push = rate(table.alpha, k) * (r - memory.mean[0])
    for b in range(chance.size):
        table.q[s, b] += push * ((b == a) - chance[b])
    if memory.baseline:
        memory.mean[0] += (r - memory.mean[0]) / k
    return choose(table, s_next)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent, whose `values` are its preferences.

    As in the book, r̄ is the mean of the rewards before the present one, and the first reward is its own baseline.
    """
    setting = finite(env, config)
    check_one_state(setting, "sarsa or q_learning")
    if config.explore != "softmax":
        raise ValueError(f"explore is {config.explore!r}; gradient_bandit draws from the softmax of its preferences")
    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run), _memory(setting, config), _values, judge)


@kernel
def _softmax(h: Floats, s: int, temperature: float, chance: Floats) -> None:
    highest = -np.inf
    for a in range(chance.size):
        highest = max(highest, h[s, a])
    total = 0.0
    for a in range(chance.size):
        chance[a] = np.exp((h[s, a] - highest) / temperature)
        total += chance[a]
    for a in range(chance.size):
        chance[a] /= total


def _memory(setting: Setting, config: Config) -> Callable[[Stream], Memory]:
    alpha = bounded(config.alpha, "alpha", 0.0, np.inf, open_below=True)  # no average, so that it may exceed 1
    if alpha.per_visit:
        raise ValueError(f"alpha is {config.alpha!r}; every preference moves in every step: write k instead of n")
    packed, explore = alpha.packed(), exploration(config).packed()

    def make_memory(stream: Stream) -> Memory:
        h, visits = (
            np.full((1, setting.n_actions), config.initial, np.float64),
            np.zeros((1, setting.n_actions), np.int64),
        )
        table = Table(h, visits, np.zeros(1, np.int64), stream, float(config.gamma), packed, explore)
        return Memory(table, np.zeros(setting.n_actions), np.zeros(1), config.baseline)

    return make_memory


def _values(memory: Memory) -> Floats:
    return memory.table.q

"""Dyna-Q+, S&B section 8.3: planning believes r + κ √τ, τ the steps since the pair was tried: q̄ = r + κ √τ + γ max_a q(s', a)."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.config import Control, check
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table
from rlkit.learning.truth import control_judge
from rlkit.tabular import control
from rlkit.tabular.control import Table, choose, update
from rlkit.tabular.drive import drive
from rlkit.tabular.explore import best
from rlkit.tabular.jit import kernel
from rlkit.tabular.memory_model import Remembered, blank, draw_pair, draw_remembered, imagine, list_pair, remember
from rlkit.tabular.random import Stream
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Control):
    """Dyna-Q+: Dyna-Q that is drawn to what it has not tried for long, because the world may have changed.

    Planning takes the untried actions of visited states too: the model's first guess is that they lead back to the same
    state and pay nothing, and their τ counts from the first step. The bonus is in q, which it leaves above the truth.
    S&B's model has outcomes 1: it forgets at once what was there before a change, and is WRONG IN A STOCHASTIC WORLD.
    """

    epsilon: Rate = "linear(1, 0.1, 10000)"  # planning perfects the first way found: look around before
    planning: int = 10  # updates from the model after each step; 0 is Q-learning
    outcomes: int = 10  # different ones remembered of each pair; 1 believes the last
    kappa: float = 1e-4  # κ of the bonus


class Memory(NamedTuple):
    """Action values, the model, and when each pair was tried last."""

    table: Table
    model: Remembered
    tried: Ints  # [S, A]  the step in which; 0: never
    planning: int
    kappa: float


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return control.begin(memory.table, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, remember it, learn from memory with the bonus, and choose the next action."""
    table, model = memory.table, memory.model
    table.clock[0] += 1
    update(table, s, a, r + table.gamma * (1.0 - terminated) * best(table.q, s_next))
    if model.seen[s].sum() == 0:
        for other in range(table.q.shape[1]):
            list_pair(model, s, other)
    remember(model, s, a, r, s_next, terminated)
    memory.tried[np.uintp(s), np.uintp(a)] = table.clock[0]
    for _ in range(memory.planning):
        _plan(memory, table, model)
    return choose(table, s_next)


@kernel
def _plan(memory: Any, table: Any, model: Any) -> None:
    s, a = draw_pair(model, table.stream)
    i, j, k = np.uintp(s), np.uintp(a), np.uintp(draw_remembered(model, s, a, table.stream))
    r = model.reward[i, j, k] + memory.kappa * math.sqrt(table.clock[0] - memory.tried[i, j])
    discount = table.gamma * (1.0 - model.terminated[i, j, k])
    imagine(table, s, a, r + discount * best(table.q, model.s_next[i, j, k]))


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def action_values(memory: Memory) -> Floats:
    """Return q, [S, A]."""
    return memory.table.q


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, planning=0, outcomes=1, kappa=0.0)
    setting = finite(env, config)
    table = action_table(setting, config)

    def memory(stream: Stream) -> Memory:
        size = setting.n_states, setting.n_actions
        model, tried = blank(*size, config.outcomes), np.zeros(size, np.int64)
        return Memory(table(stream), model, tried, config.planning, float(config.kappa))

    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run, from_data=True), memory, action_values, judge)

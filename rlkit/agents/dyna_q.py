"""Dyna-Q, S&B section 8.2: q̄ = r + γ max_a q(s', a) for each step taken, and for `planning` remembered ones after it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats
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
    """Dyna-Q.

    The pairs to plan from are drawn uniformly from those tried; S&B draw a state, then one of the actions tried in it.
    Planning draws an outcome of the pair as often as it was seen. With outcomes 1 the model is S&B's, of a deterministic world:
    the last outcome is all that is believed, which is right where a world changes and WRONG WHERE IT IS STOCHASTIC.
    """

    epsilon: Rate = "linear(1, 0.1, 10000)"  # planning perfects the first way found: look around before
    planning: int = 10  # updates from the model after each step; 0 is Q-learning
    outcomes: int = 10  # different ones remembered of each pair; 1 believes the last


class Memory(NamedTuple):
    """Action values and the model."""

    table: Table
    model: Remembered
    planning: int


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return control.begin(memory.table, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, remember it, learn from memory, and choose the next action."""
    table, model = memory.table, memory.model
    table.clock[0] += 1
    update(table, s, a, r + table.gamma * (1.0 - terminated) * best(table.q, s_next))
    if model.seen[np.uintp(s), np.uintp(a)] == 0:
        list_pair(model, s, a)
    remember(model, s, a, r, s_next, terminated)
    for _ in range(memory.planning):
        _plan(table, model)
    return choose(table, s_next)


@kernel
def _plan(table: Any, model: Any) -> None:
    s, a = draw_pair(model, table.stream)
    i, j, k = np.uintp(s), np.uintp(a), np.uintp(draw_remembered(model, s, a, table.stream))
    discount = table.gamma * (1.0 - model.terminated[i, j, k])
    imagine(table, s, a, model.reward[i, j, k] + discount * best(table.q, model.s_next[i, j, k]))


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def action_values(memory: Memory) -> Floats:
    """Return q, [S, A]."""
    return memory.table.q


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, planning=0, outcomes=1)
    setting = finite(env, config)
    table = action_table(setting, config)

    def memory(stream: Stream) -> Memory:
        model = blank(setting.n_states, setting.n_actions, config.outcomes)
        return Memory(table(stream), model, config.planning)

    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run, from_data=True), memory, action_values, judge)

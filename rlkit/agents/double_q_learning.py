"""Double Q-learning, van Hasselt 2010, S&B (6.10): q̄₁ = r + γ q₂(s', argmax_a q₁(s', a)), or with 1 and 2 changed over.

A coin says which of two tables learns: the one chooses the best action and the other says what it is worth, so that the
maximum of noisy values is not taken for the value of the maximum. The agent acts on the mean of both, and that is its
`values`; greedily it is the same as on the sum. A step size with n counts the updates of each table.

In the book's 5x5, 4 million steps in episodes of 20 make the policy optimal.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.config import Control
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import Table, choose
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import uniform
from rlkit.tabular.schedule import per_visit, rate


@dataclass(frozen=True)
class Config(Control):
    """Double Q-learning."""


class Memory(NamedTuple):
    """The two tables, and their mean."""

    table: Table  # q: the mean; visits: of both
    pair: Floats  # [2, S, A]
    updates: Ints  # [2, S, A]


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory.table, s)


@kernel
def target(pair: Floats, one: int, reward: float, discount: float, s_next: int) -> float:
    """Return r + γ q_other(s', argmax_a q_one(s', a)), the lowest argmax of several."""
    row = np.uintp(s_next)
    best = np.uintp(0)
    for a in range(1, pair.shape[2]):
        if pair[one, row, np.uintp(a)] > pair[one, row, best]:
            best = np.uintp(a)
    return float(reward + discount * pair[1 - one, row, best])


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Toss the coin, let one table learn, and choose the next action."""
    table, pair = memory.table, memory.pair
    table.clock[0] += 1
    table.visits[s, a] += 1
    one = int(uniform(table.stream) >= 0.5)
    memory.updates[one, s, a] += 1
    alpha = rate(table.alpha, memory.updates[one, s, a] if per_visit(table.alpha) else table.clock[0])
    discount = table.gamma * (1.0 - terminated)
    pair[one, s, a] += alpha * (target(pair, one, r, discount, s_next) - pair[one, s, a])
    table.q[s, a] = 0.5 * (pair[0, s, a] + pair[1, s, a])
    return choose(table, s_next)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting = finite(env, config)
    table = action_table(setting, config)
    shape = 2, setting.n_states, setting.n_actions
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: Memory(table(stream), np.full(shape, config.initial, np.float64), np.zeros(shape, np.int64)),
        lambda memory: memory.table.q,
        control_judge(setting, config.gamma),
    )

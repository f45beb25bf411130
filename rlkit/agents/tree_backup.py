"""n-step tree backup, S&B (7.16): G_t = r_{t+1} + γ Σ_{a≠a_{t+1}} π(a|s_{t+1}) q(s_{t+1}, a) + γ π(a_{t+1}|s_{t+1}) G_{t+1}.

The last of the n steps ends in r + γ Σ_a π(a|s) q(s, a). No importance sampling: of the actions taken only their
probability under π counts, which is the policy that acts, or with target="greedy" the greedy one, whoever acts; π and q
are those of the moment of the update. An update waits until its n rewards have come; when the episode ends, those that
still wait are made, the oldest first. n = 1 is expected Sarsa, or Q-learning.

In the book's 5x5, 2 million steps in episodes of 20 make the policy optimal.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from rlkit.learning.config import Control, check
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import Table, behaviour, choose, update
from rlkit.tabular.drive import drive
from rlkit.tabular.explore import EPSILON_GREEDY, Behaviour, expected, probability
from rlkit.tabular.jit import kernel
from rlkit.tabular.multistep import Pending, before, drop, due, make_pending, newest, oldest, push

Target = Literal["acting", "greedy"]


@dataclass(frozen=True)
class Config(Control):
    """n-step tree backup."""

    n: int = 4  # rewards in a return
    target: Target = "acting"  # the policy that is learned about: the one that acts, or the greedy one


class Memory(NamedTuple):
    """Action values, the steps that wait, and whose probabilities count."""

    table: Table
    pending: Pending
    greedy: bool


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory.table, s)


@kernel
def learned(memory: Any, s: int) -> Behaviour:
    """Return the policy that is learned about, at its level in s."""
    return Behaviour(EPSILON_GREEDY, 0.0) if memory.greedy else behaviour(memory.table, s)


@kernel
def tree_return(memory: Any, discount: float, s_next: int) -> float:
    """Return G of the oldest pending step; γ G_t = γ [Σ_a π(a|s) q(s, a) + π(a_t|s) (G_t - q(s, a_t))] goes to the one before.

    Args:
        memory: the agent's.
        discount: γ, or 0 where the newest step terminated.
        s_next: the state after the newest step.
    """
    table, pending = memory.table, memory.pending
    k = newest(pending)
    total = pending.r[np.uintp(k)] + discount * expected(table.q, s_next, learned(memory, s_next))
    for _ in range(pending.ring[1] - 1):
        s, a = pending.s[np.uintp(k)], pending.a[np.uintp(k)]
        k = before(pending, k)
        pi = learned(memory, s)
        error = total - table.q[np.uintp(s), np.uintp(a)]
        value = expected(table.q, s, pi) + probability(table.q, s, a, pi) * error
        total = pending.r[np.uintp(k)] + table.gamma * value
    return float(total)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Learn from the step that is n steps back, then choose the next action."""
    table, pending = memory.table, memory.pending
    table.clock[0] += 1
    push(pending, s, a, r)
    discount = table.gamma * (1.0 - terminated)
    for _ in range(due(pending, terminated or truncated)):
        s_then, a_then = oldest(pending)
        update(table, s_then, a_then, tree_return(memory, discount, s_next))
        drop(pending)
    return choose(table, s_next)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, n=1)
    if config.target not in get_args(Target):
        raise ValueError(f"target is {config.target!r}; choose one of {', '.join(map(repr, get_args(Target)))}")
    setting = finite(env, config)
    table, greedy = action_table(setting, config), config.target == "greedy"
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: Memory(table(stream), make_pending(config.n), greedy),
        lambda memory: memory.table.q,
        control_judge(setting, config.gamma),
    )

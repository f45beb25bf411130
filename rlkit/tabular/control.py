"""One-step control: the memory of action values, the choice of an action, and the update towards a target.

A TD method is its target, Zhao table 7.2: a kernel `target(q, reward, discount, s_next, a_next, behaviour) -> float`.
"""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.approximation import toward
from rlkit.tabular.explore import EPSILON_GREEDY, SOFTMAX, Behaviour, epsilon_greedy, softmax, upper_confidence
from rlkit.tabular.jit import kernel, template
from rlkit.tabular.random import Stream, uniform
from rlkit.tabular.schedule import per_visit, rate


class Table(NamedTuple):
    """Action values and what their updates need."""

    q: Floats  # [S, A]
    visits: Ints  # [S, A]  updates of each pair
    clock: Ints  # [1]  steps
    stream: Stream  # [1, 4]  the agent's random numbers
    gamma: float
    alpha: Floats  # [7]  a packed schedule
    explore: Floats  # [8]  a packed `Explore`


@kernel
def behaviour(table: Any, s: int) -> Behaviour:
    """Return how the agent explores now: the level of step k, or of the n-th visit to s."""
    k = table.clock[0] + 1
    if per_visit(table.explore):
        k = 1 + table.visits[s].sum()
    return Behaviour(int(table.explore[7]), rate(table.explore, k))


@kernel
def choose(table: Any, s: int) -> int:
    """Choose an action for s by the agent's way to explore; takes one random number."""
    u = uniform(table.stream)
    now = behaviour(table, s)
    if now.kind == EPSILON_GREEDY:
        return epsilon_greedy(table.q, s, now.level, u)
    if now.kind == SOFTMAX:
        return softmax(table.q, s, now.level, u)
    return upper_confidence(table.q, table.visits, s, now.level, u)


@kernel
def begin(table: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(table, s)


@kernel
def step_size(table: Any, s: int, a: int) -> float:
    """Count a visit to (s, a), and return the step size of its update."""
    visits = table.visits[np.uintp(s), np.uintp(a)] + 1
    table.visits[np.uintp(s), np.uintp(a)] = visits
    return rate(table.alpha, visits if per_visit(table.alpha) else table.clock[0])


@kernel
def update(table: Any, s: int, a: int, target: float) -> None:
    """Move q(s, a) towards a target by the step size: q ← q + alpha (q̄ - q), Zhao (7.13)."""
    row, column = np.uintp(s), np.uintp(a)
    table.q[row, column] = toward(table.q[row, column], target, step_size(table, s, a))


@template
def on_policy(target: Any, table: Any, s: int, a: int, r: float, s_next: int, terminated: bool) -> int:
    """Choose the next action, then learn from it; Zhao algorithm 7.1."""
    table.clock[0] += 1
    a_next = choose(table, s_next)
    discount = table.gamma * (1.0 - terminated)
    update(table, s, a, target(table.q, r, discount, s_next, a_next, behaviour(table, s_next)))
    return a_next


@template
def off_policy(target: Any, table: Any, s: int, a: int, r: float, s_next: int, terminated: bool) -> int:
    """Learn without the next action, then choose it by what was learned; Zhao algorithm 7.2, S&B section 6.5."""
    table.clock[0] += 1
    discount = table.gamma * (1.0 - terminated)
    update(table, s, a, target(table.q, r, discount, s_next, -1, behaviour(table, s_next)))
    return choose(table, s_next)

"""Dyna with prioritized sweeping (Moore & Atkeson 1993; S&B section 8.4): update first where q̄ - q is largest.

The planner `prioritized_sweeping` is the same idea where the model is given; this agent learns its model from samples.
"""

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
from rlkit.tabular.control import Table, choose
from rlkit.tabular.drive import drive
from rlkit.tabular.explore import best
from rlkit.tabular.heap import Heap, empty_heap, pop, raise_to
from rlkit.tabular.jit import kernel
from rlkit.tabular.memory_model import (
    NONE,
    Predecessors,
    Remembered,
    blank,
    imagine,
    no_predecessors,
    remember_both_ways,
    size,
)
from rlkit.tabular.random import Stream
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Control):
    """Dyna with prioritized sweeping.

    A step is not learned from directly: its pair is queued, as are the pairs that lead to what has changed, and
    `planning` updates go to the first in the queue. An update takes the mean over the outcomes of its pair, as often
    as each was seen: Moore and Atkeson's full backup. With outcomes 1 it is S&B's, of a deterministic world: the last outcome is all
    that is believed, which is right where a world changes and WRONG WHERE IT IS STOCHASTIC. A pair that stands in the queue
    keeps the highest priority it was given.
    """

    alpha: Rate = 1.0  # step size: q̄ is what the model says, and has no noise to average out
    epsilon: Rate = "linear(1, 0.1, 10000)"  # planning perfects the first way found: look around before
    planning: int = 10  # updates at most after each step
    outcomes: int = 10  # different ones remembered of each pair; 1 believes the last
    threshold: float = 1e-6  # |q̄ - q| from which a pair is queued


class Memory(NamedTuple):
    """Action values, the model in both directions, and the queue of pairs s A + a."""

    table: Table
    model: Remembered
    predecessors: Predecessors
    queue: Heap
    planning: int
    threshold: float


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return control.begin(memory.table, s)


@kernel
def target(table: Any, model: Any, s: int, a: int) -> float:
    """Return the mean of r + γ max_a q(s', a) over the outcomes seen of (s, a)."""
    i, j = np.uintp(s), np.uintp(a)
    total, count = 0.0, 0
    for outcome in range(size(model, s, a)):
        k = np.uintp(outcome)
        discount = table.gamma * (1.0 - model.terminated[i, j, k])
        times = max(1, model.times[i, j, k])  # the first guess of a pair never tried has been seen 0 times
        total += times * (model.reward[i, j, k] + discount * best(table.q, model.s_next[i, j, k]))
        count += times
    return float(total / count)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Remember a step, sweep from it, and choose the next action."""
    table = memory.table
    table.clock[0] += 1
    table.visits[np.uintp(s), np.uintp(a)] += 1
    remember_both_ways(memory.model, memory.predecessors, s, a, r, s_next, terminated)
    _queue(memory, s, a)
    for _ in range(memory.planning):
        if memory.queue.size[0] == 0:
            break
        _sweep(memory)
    return choose(table, s_next)


@kernel
def _queue(memory: Any, s: int, a: int) -> None:
    priority = abs(target(memory.table, memory.model, s, a) - memory.table.q[np.uintp(s), np.uintp(a)])
    if priority > memory.threshold:
        raise_to(memory.queue, s * memory.table.q.shape[1] + a, priority)


@kernel
def _sweep(memory: Any) -> None:
    """Update the first pair of the queue, and queue those that lead to it."""
    model, edges = memory.model, memory.predecessors
    n_actions, m = model.seen.shape[1], model.reward.shape[2]
    pair = pop(memory.queue)
    s, a = pair // n_actions, pair % n_actions
    imagine(memory.table, s, a, target(memory.table, model, s, a))
    edge = edges.first[np.uintp(s)]
    while edge != NONE:
        before = edge // m
        _queue(memory, before // n_actions, before % n_actions)
        edge = edges.after[np.uintp(edge)]


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def action_values(memory: Memory) -> Floats:
    """Return q, [S, A]."""
    return memory.table.q


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, planning=1, outcomes=1, threshold=0.0)
    setting = finite(env, config)
    table = action_table(setting, config)
    shape = setting.n_states, setting.n_actions, config.outcomes

    def memory(stream: Stream) -> Memory:
        queue = empty_heap(setting.n_states * setting.n_actions)
        model, predecessors = blank(*shape), no_predecessors(*shape)
        return Memory(table(stream), model, predecessors, queue, config.planning, float(config.threshold))

    judge = control_judge(setting, config.gamma)
    return Learner(setting, config, seed, Method(begin, learn, run, from_data=True), memory, action_values, judge)

"""LSPI, Lagoudakis & Parr 2003: w = A⁻¹b with A = Σ φ(s,a) (φ(s,a) - γ φ(s',π(s')))ᵀ + εI, b = Σ φ(s,a) r, π greedy in w, repeated.

The sums go over the last `buffer` steps, whatever policy took them; every `every` steps they are solved until the weights
stay, at most `sweeps` times. Greedy ties go to the lowest action. There is no step size: `alpha` and `initial` have no
part in it. A pair that was never tried is worth 0, so that exploration finds what is better than 0, not what is less bad.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.basis import LinearControl, basis
from rlkit.learning.config import check
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.learning.weights import action_values, action_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.elimination import solve_in_place
from rlkit.tabular.jit import kernel
from rlkit.tabular.schedule import Rate
from rlkit.tabular.weights import ActionWeights, choose, copy_row, dot_action

MOST = 4096  # weights; their matrix takes 128 MiB


@dataclass(frozen=True)
class Config(LinearControl):
    """Least-squares policy iteration."""

    epsilon: Rate = 1.0  # probability of a random action; the data need not come from the policy that is learned
    buffer: int = 5000  # steps that are remembered
    every: int = 500  # steps between two solutions
    sweeps: int = 20  # policy improvements in a solution, at most
    ridge: float = 1e-6  # ε: what A begins with on its diagonal


class Rows(NamedTuple):
    """A table of features."""

    column: Ints  # [B, m]
    phi: Floats  # [B, m]


class Memory(NamedTuple):
    """Weights, the steps that are remembered, and room to work in."""

    weights: ActionWeights
    first: Rows  # the features of s ...
    then: Rows  # ... and of s'
    a: Ints  # [B]
    r: Floats  # [B]
    discount: Floats  # [B]  γ, or 0 after a termination
    matrix: Floats  # [A d, A d]
    right: Floats  # [A d]
    every: int
    sweeps: int
    ridge: float


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory.weights, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Remember a step, improve the policy where it is time to, and choose the next action."""
    weights = memory.weights
    row = weights.clock[0] % memory.a.size
    weights.clock[0] += 1
    copy_row(weights, s, memory.first, row)
    copy_row(weights, s_next, memory.then, row)
    memory.a[row], memory.r[row], memory.discount[row] = a, r, weights.gamma * (1.0 - terminated)
    if weights.clock[0] % memory.every == 0:
        for _ in range(memory.sweeps):
            if not improve(memory):
                break
    return choose(weights, s_next)


@kernel
def improve(memory: Any) -> bool:
    """Solve for the value of the greedy policy; return whether that moved the weights."""
    w, matrix, right = memory.weights.w, memory.matrix, memory.right
    for i in range(right.size):
        right[i] = 0.0
        for j in range(right.size):
            matrix[i, j] = 0.0
        matrix[i, i] = memory.ridge
    for k in range(min(memory.weights.clock[0], memory.a.size)):
        add_step(memory, k)
    if not solve_in_place(matrix, right):
        return False
    change, size = 0.0, 0.0
    for i in range(right.size):
        a, j = i // w.shape[1], i % w.shape[1]
        change, size = max(change, abs(right[i] - w[a, j])), max(size, abs(right[i]))
        w[a, j] = right[i]
    return change > 1e-9 * size


@kernel
def add_step(memory: Any, k: int) -> None:
    """Add the remembered step k to A and b."""
    w, first, then, d = memory.weights.w, memory.first, memory.then, memory.weights.w.shape[1]
    best, highest = 0, dot_action(w, then, k, 0)
    for a in range(1, w.shape[0]):
        q = dot_action(w, then, k, a)
        if q > highest:
            best, highest = a, q
    for i in range(first.column.shape[1]):
        row, x = memory.a[k] * d + first.column[k, i], first.phi[k, i]
        memory.right[row] += x * memory.r[k]
        for j in range(first.column.shape[1]):
            memory.matrix[row, memory.a[k] * d + first.column[k, j]] += x * first.phi[k, j]
            memory.matrix[row, best * d + then.column[k, j]] -= x * memory.discount[k] * then.phi[k, j]


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent.

    Raises:
        ValueError: naming the argument and its value, or that there are too many weights.
    """
    check(config, buffer=1, every=1, sweeps=1)
    if not 0.0 < config.ridge < np.inf:
        raise ValueError(f"ridge is {config.ridge}; it must be above 0")
    setting, table, config = basis(env, config, lambda memory: memory.weights)
    n, shape = table.size * setting.n_actions, (config.buffer, table.column.shape[1])
    if n > MOST:
        raise ValueError(f"these are {n} weights, whose matrix has {n}² entries; take at most {MOST}, or q_linear")
    weights = action_weights(config, setting, table)

    def memory(stream: Any) -> Memory:
        first, then = (Rows(np.zeros(shape, np.int64), np.zeros(shape)) for _ in range(2))
        steps = np.zeros(shape[0], np.int64), np.zeros(shape[0]), np.zeros(shape[0])
        room = np.zeros((n, n)), np.zeros(n)
        return Memory(weights(stream), first, then, *steps, *room, config.every, config.sweeps, float(config.ridge))

    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run, from_data=True),
        memory,
        lambda memory: action_values(memory.weights),
        watched(control_judge(setting, config.gamma)),
    )

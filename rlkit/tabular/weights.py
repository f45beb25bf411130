"""Linear values: v(s) = φ(s)ᵀw and q(s, a) = φ(s)ᵀw_a, Zhao section 8.2, S&B section 9.4; row s of a table holds φ(s) as m pairs."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.explore import EPSILON_GREEDY, epsilon_greedy, softmax
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import draw_action
from rlkit.tabular.random import Stream, uniform
from rlkit.tabular.schedule import rate


class StateWeights(NamedTuple):
    """Weights of state values, and what their updates need."""

    w: Floats  # [d]
    column: Ints  # [R, m]  row s: the features of s that are not zero ...
    phi: Floats  # [R, m]  ... and their values
    clock: Ints  # [1]  steps
    stream: Stream  # [1, 4]  the agent's random numbers
    policy_cdf: Floats  # [R, A]  running sums of the policy that acts
    gamma: float
    alpha: Floats  # [7]  a packed schedule


class ActionWeights(NamedTuple):
    """Weights of action values, and what their updates need."""

    w: Floats  # [A, d]
    column: Ints  # [R, m]  row s: the features of s that are not zero ...
    phi: Floats  # [R, m]  ... and their values
    clock: Ints  # [1]  steps
    stream: Stream  # [1, 4]  the agent's random numbers
    q: Floats  # [1, A]  action values of the state last looked at
    gamma: float
    alpha: Floats  # [7]  a packed schedule
    explore: Floats  # [8]  a packed `Explore`


@kernel
def dot(w: Floats, memory: Any, s: int) -> float:
    """Return φ(s)ᵀw, w [d]."""
    row = np.uintp(s)
    total = 0.0
    for i in range(memory.column.shape[1]):
        total += w[np.uintp(memory.column[row, np.uintp(i)])] * memory.phi[row, np.uintp(i)]
    return total


@kernel
def add(w: Floats, memory: Any, s: int, step: float) -> None:
    """Move weights, w ← w + step φ(s), w [d]."""
    row = np.uintp(s)
    for i in range(memory.column.shape[1]):
        w[np.uintp(memory.column[row, np.uintp(i)])] += step * memory.phi[row, np.uintp(i)]


@kernel
def dot_action(w: Floats, memory: Any, s: int, a: int) -> float:
    """Return φ(s)ᵀw_a, w [A, d]."""
    row, own = np.uintp(s), np.uintp(a)
    total = 0.0
    for i in range(memory.column.shape[1]):
        total += w[own, np.uintp(memory.column[row, np.uintp(i)])] * memory.phi[row, np.uintp(i)]
    return total


@kernel
def add_action(w: Floats, memory: Any, s: int, a: int, step: float) -> None:
    """Move the weights of an action, w_a ← w_a + step φ(s), w [A, d]."""
    row, own = np.uintp(s), np.uintp(a)
    for i in range(memory.column.shape[1]):
        w[own, np.uintp(memory.column[row, np.uintp(i)])] += step * memory.phi[row, np.uintp(i)]


@kernel
def look(memory: Any, s: int) -> None:
    """Compute q(s, ·) into `memory.q`."""
    for a in range(memory.w.shape[0]):
        memory.q[0, np.uintp(a)] = dot_action(memory.w, memory, s, a)


@kernel
def choose(memory: Any, s: int) -> int:
    """Choose an action for s by the agent's way to explore, q(s, ·) left in `memory.q`; takes one random number."""
    look(memory, s)
    u = uniform(memory.stream)
    level = rate(memory.explore, memory.clock[0] + 1)
    if int(memory.explore[7]) == EPSILON_GREEDY:
        return epsilon_greedy(memory.q, 0, level, u)
    return softmax(memory.q, 0, level, u)


@kernel
def begin_control(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory, s)


@kernel
def begin_prediction(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, draw_action(memory.policy_cdf, s, memory.stream)


@kernel
def tabulate(w: Floats, memory: Any, out: Floats) -> None:
    """Write φ(s)ᵀw_a of all rows into out [R, A], w [A, d]."""
    for s in range(out.shape[0]):
        for a in range(out.shape[1]):
            out[s, a] = dot_action(w, memory, s, a)


@kernel
def copy_row(memory: Any, s: int, target: Any, row: int) -> None:
    """Copy φ(s) into a row of another feature table."""
    for i in range(memory.column.shape[1]):
        target.column[np.uintp(row), np.uintp(i)] = memory.column[np.uintp(s), np.uintp(i)]
        target.phi[np.uintp(row), np.uintp(i)] = memory.phi[np.uintp(s), np.uintp(i)]

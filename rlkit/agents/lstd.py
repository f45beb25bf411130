"""LSTD(λ), S&B section 9.8, Zhao section 8.2.5: w = A⁻¹b with A = Σ z (x - γ x')ᵀ + εI and b = Σ z r, z ← γ λ z + x.

A⁻¹ is kept, and follows each step by Sherman and Morrison's formula: k = A⁻¹z, g = A⁻ᵀ(x - γ x'),
A⁻¹ ← A⁻¹ - k gᵀ / (1 + gᵀz). There is no step size; a step costs O(d²). The end of an episode, truncation included,
cuts the trace z.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.basis import Featured, basis, policy_of
from rlkit.learning.config import Policy
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import prediction_judge
from rlkit.learning.weights import values_with, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import cumulated, draw_action
from rlkit.tabular.random import Stream
from rlkit.tabular.weights import add, begin_prediction

MOST = 4096  # features; their matrix takes 128 MiB


@dataclass(frozen=True)
class Config(Featured):
    """LSTD(λ)."""

    policy: Policy = "uniform"  # "uniform", "optimal", a .npy file; in Python also [S] actions or [S, A] probabilities
    lam: float = 0.0  # λ
    ridge: float = 1e-3  # ε: what A begins with on its diagonal


class Memory(NamedTuple):
    """The least-squares problem so far, and room to work in."""

    inverse: Floats  # [d, d]  A⁻¹
    b: Floats  # [d]
    z: Floats  # [d]
    g: Floats  # [d]
    k: Floats  # [d]
    column: Ints  # [R, m]  the feature table
    phi: Floats  # [R, m]
    clock: Ints  # [1]  steps
    stream: Stream  # [1, 4]  the agent's random numbers
    policy_cdf: Floats  # [R, A]  running sums of the policy that acts
    gamma: float
    lam: float


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    for i in range(memory.z.size):
        memory.z[i] = 0.0
    return begin_prediction(memory, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and draw the next action."""
    memory.clock[0] += 1
    for i in range(memory.z.size):
        memory.z[i] *= memory.gamma * memory.lam
        memory.g[i] = 0.0
    add(memory.z, memory, s, 1.0)
    add_rows(memory, s, 1.0)
    add_rows(memory, s_next, -memory.gamma * (1.0 - terminated))
    follow(memory)
    for i in range(memory.z.size):
        memory.b[i] += r * memory.z[i]
    return draw_action(memory.policy_cdf, s_next, memory.stream)


@kernel
def add_rows(memory: Any, s: int, factor: float) -> None:
    """Add factor · A⁻ᵀφ(s) to g."""
    for i in range(memory.column.shape[1]):
        row, x = memory.column[s, i], factor * memory.phi[s, i]
        for j in range(memory.g.size):
            memory.g[j] += x * memory.inverse[row, j]


@kernel
def follow(memory: Any) -> None:
    """Follow A: A⁻¹ ← A⁻¹ - k gᵀ / (1 + gᵀz)."""
    inverse, z, g, k = memory.inverse, memory.z, memory.g, memory.k
    scale = 1.0
    for i in range(z.size):
        scale += g[i] * z[i]
        k[i] = 0.0
        for j in range(z.size):
            k[i] += inverse[i, j] * z[j]
    for i in range(z.size):
        if k[i] != 0.0:
            share = k[i] / scale
            for j in range(z.size):
                inverse[i, j] -= share * g[j]


@kernel
def solve(memory: Any, w: Floats) -> None:
    """Write A⁻¹b into w [d]."""
    for i in range(w.size):
        w[i] = 0.0
        for j in range(w.size):
            w[i] += memory.inverse[i, j] * memory.b[j]


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def weights(memory: Memory) -> Floats:
    """Return w, [d]."""
    w = np.empty(len(memory.b))
    solve(memory, w)
    return w


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent.

    Raises:
        ValueError: naming the argument and its value, or that there are too many features.
    """
    if not 0.0 <= config.lam <= 1.0:
        raise ValueError(f"lam is {config.lam}; it must lie between 0 and 1")
    if not 0.0 < config.ridge < np.inf:
        raise ValueError(f"ridge is {config.ridge}; it must be above 0")
    setting, table, config = basis(env, config)
    d = table.size
    if d > MOST:
        raise ValueError(f"these are {d} features, whose matrix has {d}² entries; take at most {MOST}, or td_linear")
    pi = policy_of(config, setting, table)

    def memory(stream: Stream) -> Memory:
        b, z, g, k = np.zeros((4, d))
        column, phi, clock, cdf = table.column.copy(), table.phi.copy(), np.zeros(1, np.int64), cumulated(pi)
        inverse, rates = np.eye(d) / config.ridge, (float(config.gamma), float(config.lam))
        return Memory(inverse, b, z, g, k, column, phi, clock, stream, cdf, *rates)

    judge = watched(prediction_judge(setting, config.gamma, pi))
    method = Method(begin, learn, run)
    return Learner(
        setting, config, seed, method, memory, lambda memory: values_with(weights(memory), memory), judge, pi
    )

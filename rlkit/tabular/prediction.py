"""Prediction: the memory of state values, actions drawn from a given policy, and the update towards a target."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.approximation import toward
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream, uniform
from rlkit.tabular.schedule import per_visit, rate


class Values(NamedTuple):
    """State values and what their updates need."""

    v: Floats  # [S]
    visits: Ints  # [S]  updates of each state
    clock: Ints  # [1]  steps
    stream: Stream  # [1, 4]  the agent's random numbers
    policy_cdf: Floats  # [S, A]  running sums of the policy that acts
    gamma: float
    alpha: Floats  # [7]  a packed schedule


def cumulated(pi: Floats) -> Floats:
    """Return the running sums of a policy's rows, the last exactly 1, for drawing actions."""
    cdf = np.cumsum(pi, axis=1)
    cdf[:, -1] = 1.0
    return cdf


@kernel
def draw_action(policy_cdf: Floats, s: int, stream: Stream) -> int:
    """Draw an action from a row of running sums, the last of which is 1."""
    u = uniform(stream)
    a = 0
    while policy_cdf[np.uintp(s), np.uintp(a)] <= u:
        a += 1
    return a


@kernel
def begin(values: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, draw_action(values.policy_cdf, s, values.stream)


@kernel
def step_size(values: Any, s: int) -> float:
    """Count a visit to s, and return the step size of its update."""
    visits = values.visits[np.uintp(s)] + 1
    values.visits[np.uintp(s)] = visits
    return rate(values.alpha, visits if per_visit(values.alpha) else values.clock[0])


@kernel
def update(values: Any, s: int, target: float) -> None:
    """Move v(s) towards a target by the step size: v ← v + alpha (v̄ - v), Zhao (7.1)."""
    row = np.uintp(s)
    values.v[row] = toward(values.v[row], target, step_size(values, s))

"""How an action is chosen from action values: greedy, epsilon-greedy, softmax, upper confidence bounds."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.jit import kernel
from rlkit.tabular.schedule import Schedule

EPSILON_GREEDY, SOFTMAX, UCB = range(3)
KINDS = ("epsilon-greedy", "softmax", "ucb")


class Explore(NamedTuple):
    """A way to explore and its level: epsilon, the temperature, or c of the confidence bound."""

    kind: int
    level: Schedule

    def packed(self) -> Floats:
        """Return it as kernels take it, [8]: the packed level, then the kind."""
        return np.append(self.level.packed(), float(self.kind))


class Behaviour(NamedTuple):
    """A way to explore at one moment: what a target may need to know about the policy that acts."""

    kind: int
    level: float


@kernel
def greedy(q: Floats, s: int) -> int:
    """Return argmax_a q(s, a), the lowest of several."""
    row = np.uintp(s)
    best = 0
    highest = q[row, 0]
    for a in range(1, q.shape[1]):
        if q[row, np.uintp(a)] > highest:
            highest = q[row, np.uintp(a)]
            best = a
    return best


@kernel
def best(q: Floats, s: int) -> float:
    """Return max_a q(s, a)."""
    row = np.uintp(s)
    highest = q[row, 0]
    for a in range(1, q.shape[1]):
        highest = max(highest, q[row, np.uintp(a)])
    return float(highest)


@kernel
def epsilon_greedy(q: Floats, s: int, epsilon: float, u: float) -> int:
    """Choose any action with probability epsilon, else a greedy one; Zhao (5.4), S&B section 2.2.

    The greedy action has probability 1 - epsilon (A - 1) / A in all. Ties are broken at random: with equal values
    everywhere, as at the beginning, the lowest index would lead to no place at all.

    Args:
        q: [S, A].
        s: the state.
        epsilon: in [0, 1].
        u: uniform in [0, 1); one number decides everything.
    """
    if u < epsilon:
        return int(u / epsilon * q.shape[1])
    row = np.uintp(s)
    first = 0
    ties = 1
    highest = q[row, 0]
    for a in range(1, q.shape[1]):
        value = q[row, np.uintp(a)]
        if value > highest:
            highest, first, ties = value, a, 1
        elif value == highest:
            ties += 1
    if ties > 1:
        left = int((u - epsilon) / (1.0 - epsilon) * ties)
        for a in range(first, q.shape[1]):
            if q[row, np.uintp(a)] == highest:
                if left == 0:
                    return a
                left -= 1
    return first


@kernel
def softmax(q: Floats, s: int, temperature: float, u: float) -> int:
    """Draw an action from pi(a|s) ∝ exp(q(s, a) / temperature), S&B (2.11)."""
    highest = best(q, s)
    total = 0.0
    for a in range(q.shape[1]):
        total += np.exp((q[s, a] - highest) / temperature)
    running = 0.0
    last = q.shape[1] - 1
    for a in range(last):
        running += np.exp((q[s, a] - highest) / temperature)
        if running > u * total:
            return a
    return int(last)


@kernel
def upper_confidence(q: Floats, visits: Ints, s: int, c: float, u: float) -> int:
    """Choose argmax_a q(s, a) + c sqrt(ln n(s) / n(s, a)), S&B (2.10); untried actions first, ties at random."""
    tried = 0
    for a in range(q.shape[1]):
        tried += visits[s, a]
    spread = np.log(max(tried, 1))
    highest = -np.inf
    ties = 0
    for a in range(q.shape[1]):
        bound = _bound(q, visits, s, a, c, spread)
        if bound > highest:
            highest, ties = bound, 1
        elif bound == highest:
            ties += 1
    left = int(u * ties)
    for a in range(q.shape[1]):
        if _bound(q, visits, s, a, c, spread) == highest:
            if left == 0:
                return a
            left -= 1
    return 0


@kernel
def _bound(q: Floats, visits: Ints, s: int, a: int, c: float, spread: float) -> float:
    return np.inf if visits[s, a] == 0 else float(q[s, a] + c * np.sqrt(spread / visits[s, a]))


@kernel
def expected(q: Floats, s: int, behaviour: Any) -> float:
    """Return Σ_a pi(a|s) q(s, a) of the policy that acts; upper confidence bounds count as greedy."""
    if behaviour.kind == UCB:
        return best(q, s)
    total = 0.0
    if behaviour.kind == EPSILON_GREEDY:
        for a in range(q.shape[1]):
            total += q[s, a]
        return float((1.0 - behaviour.level) * best(q, s) + behaviour.level * total / q.shape[1])
    highest = best(q, s)
    weights = 0.0
    for a in range(q.shape[1]):
        weight = np.exp((q[s, a] - highest) / behaviour.level)
        weights += weight
        total += weight * q[s, a]
    return float(total / weights)


@kernel
def probability(q: Floats, s: int, a: int, behaviour: Any) -> float:
    """Return pi(a|s) of the policy that acts; greedy ties share the greedy probability."""
    highest = best(q, s)
    weights = 0.0
    if behaviour.kind == SOFTMAX:
        for other in range(q.shape[1]):
            weights += np.exp((q[s, other] - highest) / behaviour.level)
        return float(np.exp((q[s, a] - highest) / behaviour.level) / weights)
    for other in range(q.shape[1]):
        weights += q[s, other] == highest
    epsilon = behaviour.level if behaviour.kind == EPSILON_GREEDY else 0.0
    return float(epsilon / q.shape[1] + (1.0 - epsilon) * (q[s, a] == highest) / weights)

"""Returns of several steps: the steps of an episode whose updates are still to come, kept in a ring."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.control import Table
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import Values


class Pending(NamedTuple):
    """The last steps of an episode, at most n of them; the state after the newest is where the agent is."""

    s: Ints  # [n]
    a: Ints  # [n]
    r: Floats  # [n]
    ring: Ints  # [2]  place of the oldest step, number of steps


class DelayedTable(NamedTuple):
    """The memory of multi-step control."""

    table: Table
    pending: Pending


class DelayedValues(NamedTuple):
    """The memory of multi-step prediction."""

    values: Values
    pending: Pending


def make_pending(n: int) -> Pending:
    """Return room for n steps."""
    return Pending(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n), np.zeros(2, np.int64))


@kernel
def push(pending: Any, s: int, a: int, r: float) -> None:
    """Append the newest step; there is room for it, as `due` steps were dropped after every push."""
    k = pending.ring[0] + pending.ring[1]
    at = np.uintp(k - pending.s.size if k >= pending.s.size else k)
    pending.s[at], pending.a[at], pending.r[at] = s, a, r
    pending.ring[1] += 1


@kernel
def due(pending: Any, ends: bool) -> int:
    """Return how many of the oldest steps are to be learned from now: all when the episode ends, else the n-th last."""
    if ends:
        return int(pending.ring[1])
    return int(pending.ring[1] == pending.s.size)


@kernel
def oldest(pending: Any) -> tuple[int, int]:
    """Return the state and the action of the oldest step."""
    at = np.uintp(pending.ring[0])
    return pending.s[at], pending.a[at]


@kernel
def drop(pending: Any) -> None:
    """Forget the oldest step."""
    k = pending.ring[0] + 1
    pending.ring[0] = 0 if k == pending.s.size else k
    pending.ring[1] -= 1


@kernel
def newest(pending: Any) -> int:
    """Return the place of the newest step."""
    k = pending.ring[0] + pending.ring[1] - 1
    return int(k - pending.s.size if k >= pending.s.size else k)


@kernel
def before(pending: Any, k: int) -> int:
    """Return the place of the step before the one at k."""
    return pending.s.size - 1 if k == 0 else k - 1


@kernel
def n_step_return(pending: Any, gamma: float, discount: float, tail: float) -> float:
    """Return r₁ + γ r₂ + ... + γⁿ⁻¹ (rₙ + discount · tail) of the pending steps; S&B (7.1), (7.4).

    Args:
        pending: the steps; as many as there are count, fewer than n at the end of an episode.
        gamma: discount between them.
        discount: γ, or 0 where the newest step terminated.
        tail: value of what comes after the newest.
    """
    k = newest(pending)
    total = pending.r[np.uintp(k)] + discount * tail
    for _ in range(pending.ring[1] - 1):
        k = before(pending, k)
        total = pending.r[np.uintp(k)] + gamma * total
    return float(total)

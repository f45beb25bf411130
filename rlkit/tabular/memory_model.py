"""A model learned by remembering: the outcomes of each state-action pair, and the pairs to plan from; S&B section 8.2."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Bools, Floats, Ints
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream, uniform
from rlkit.tabular.schedule import per_visit, rate

NONE, LOOSE = -1, -2  # instead of an edge: the list ends here; the edge is in no list


class Remembered(NamedTuple):
    """Up to m different outcomes of each pair and how often each was seen: the likeliest model where m are enough.

    One more takes the place of the rarest, of the oldest among equals; so with m = 1 the last outcome is believed, and where
    all are different the last m are. A pair never tried is taken to stay where it is and to pay nothing.

    Whether an episode was truncated is not stored: that is a fact about us, not about the world.
    """

    s_next: Ints  # [S, A, m]
    reward: Floats  # [S, A, m]
    terminated: Bools  # [S, A, m]
    times: Ints  # [S, A, m]  how often it was seen since it is remembered; 0: an empty place, behind all others
    seen: Ints  # [S, A]  outcomes seen, the forgotten ones too
    pairs: Ints  # [S*A, 2]  those to plan from, (s, a), in the order in which they were listed
    listed: Ints  # [1]


class Predecessors(NamedTuple):
    """Which pairs lead to a state, each once, as lists linked in both directions; outcome k of (s, a) is edge (s A + a) m + k."""

    first: Ints  # [S]
    after: Ints  # [S*A*m]
    before: Ints  # [S*A*m]


def blank(n_states: int, n_actions: int, outcomes: int) -> Remembered:
    """Return a model that has seen nothing, and remembers so many outcomes of each pair."""
    shape = n_states, n_actions, outcomes
    s_next = np.broadcast_to(np.arange(n_states)[:, None, None], shape).astype(np.int64)
    seen, pairs = np.zeros(shape[:2], np.int64), np.zeros((n_states * n_actions, 2), np.int64)
    return Remembered(
        s_next,
        np.zeros(shape),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.int64),
        seen,
        pairs,
        np.zeros(1, np.int64),
    )


def no_predecessors(n_states: int, n_actions: int, outcomes: int) -> Predecessors:
    """Return the empty lists of a model that has seen nothing."""
    edges = n_states * n_actions * outcomes
    return Predecessors(np.full(n_states, NONE), np.full(edges, NONE), np.full(edges, LOOSE))


@kernel
def list_pair(model: Any, s: int, a: int) -> None:
    """Add a pair to those to plan from."""
    i = np.uintp(model.listed[0])
    model.pairs[i, 0], model.pairs[i, 1] = s, a
    model.listed[0] += 1


@kernel
def place(model: Any, s: int, a: int, r: float, s_next: int, terminated: bool) -> int:
    """Return which of the m an outcome is, or will be: its own place, an empty one, or that of the rarest."""
    i, j, m = np.uintp(s), np.uintp(a), model.reward.shape[2]
    for outcome in range(m):
        k = np.uintp(outcome)
        if model.times[i, j, k] == 0:
            return outcome
        if model.s_next[i, j, k] == s_next and model.reward[i, j, k] == r and model.terminated[i, j, k] == terminated:
            return outcome
    rarest = model.seen[i, j] % m
    for further in range(1, m):
        outcome = (model.seen[i, j] + further) % m
        if model.times[i, j, np.uintp(outcome)] < model.times[i, j, np.uintp(rarest)]:
            rarest = outcome
    return int(rarest)


@kernel
def remember(model: Any, s: int, a: int, r: float, s_next: int, terminated: bool) -> int:
    """Count an outcome, stored in place of the rarest if it is new, and return which of the m it has become."""
    i, j = np.uintp(s), np.uintp(a)
    found = place(model, s, a, r, s_next, terminated)
    k = np.uintp(found)
    same = model.s_next[i, j, k] == s_next and model.reward[i, j, k] == r and model.terminated[i, j, k] == terminated
    model.times[i, j, k] = model.times[i, j, k] + 1 if same else 1
    model.s_next[i, j, k], model.reward[i, j, k], model.terminated[i, j, k] = s_next, r, terminated
    model.seen[i, j] += 1
    return found


@kernel
def size(model: Any, s: int, a: int) -> int:
    """Return how many different outcomes the model has of (s, a); 1, its first guess, where it has seen none."""
    i, j = np.uintp(s), np.uintp(a)
    n = 1
    while n < model.reward.shape[2] and model.times[i, j, np.uintp(n)] > 0:
        n += 1
    return int(n)


@kernel
def draw_pair(model: Any, stream: Stream) -> tuple[int, int]:
    """Draw one of the listed pairs, each equally likely."""
    i = np.uintp(uniform(stream) * model.listed[0])
    return model.pairs[i, 0], model.pairs[i, 1]


@kernel
def draw_remembered(model: Any, s: int, a: int, stream: Stream) -> int:
    """Draw one of the outcomes of (s, a), as often as it was seen; takes a random number where there is a choice."""
    i, j, n = np.uintp(s), np.uintp(a), size(model, s, a)
    if n == 1:
        return 0
    total = 0
    for outcome in range(n):
        total += model.times[i, j, np.uintp(outcome)]
    left = uniform(stream) * total
    for outcome in range(n - 1):
        left -= model.times[i, j, np.uintp(outcome)]
        if left < 0.0:
            return outcome
    return int(n - 1)


@kernel
def imagine(table: Any, s: int, a: int, target: float) -> None:
    """Move q(s, a) towards a target that was not experienced: the same step size, but no visit is counted."""
    i, j = np.uintp(s), np.uintp(a)
    alpha = rate(table.alpha, max(1, table.visits[i, j]) if per_visit(table.alpha) else table.clock[0])
    table.q[i, j] += alpha * (target - table.q[i, j])


@kernel
def remember_both_ways(model: Any, predecessors: Any, s: int, a: int, r: float, s_next: int, terminated: bool) -> None:
    """Store an outcome, and see to the lists of the state that the pair no longer leads to and of that it leads to now.

    What ends an episode leads nowhere.
    """
    i, j, m = np.uintp(s), np.uintp(a), model.reward.shape[2]
    k = np.uintp(place(model, s, a, r, s_next, terminated))
    first = (s * model.seen.shape[1] + a) * m
    old = model.s_next[i, j, k]
    linked = predecessors.before[np.uintp(first + np.int64(k))] != LOOSE
    if linked:
        _unlink(predecessors, first + np.int64(k), old)
    remember(model, s, a, r, s_next, terminated)
    if linked:
        _lead(model, predecessors, s, a, old)
    if not terminated:
        _lead(model, predecessors, s, a, s_next)


@kernel
def _lead(model: Any, predecessors: Any, s: int, a: int, s_next: int) -> None:
    """Have one of the outcomes of (s, a) that lead to s_next, if there are any, in the list of s_next."""
    i, j, m = np.uintp(s), np.uintp(a), model.reward.shape[2]
    first = (s * model.seen.shape[1] + a) * m
    found = NONE
    for outcome in range(m):
        k = np.uintp(outcome)
        if model.times[i, j, k] > 0 and model.s_next[i, j, k] == s_next and not model.terminated[i, j, k]:
            found = first + outcome
            if predecessors.before[np.uintp(found)] != LOOSE:
                return
    if found != NONE:
        _link(predecessors, found, s_next)


@kernel
def _link(predecessors: Any, edge: int, s: int) -> None:
    """Put an edge at the head of the list of those that lead to s."""
    head = predecessors.first[np.uintp(s)]
    predecessors.after[np.uintp(edge)], predecessors.before[np.uintp(edge)] = head, NONE
    if head != NONE:
        predecessors.before[np.uintp(head)] = edge
    predecessors.first[np.uintp(s)] = edge


@kernel
def _unlink(predecessors: Any, edge: int, s: int) -> None:
    """Take an edge out of the list of those that lead to s."""
    after, before = predecessors.after[np.uintp(edge)], predecessors.before[np.uintp(edge)]
    if before == NONE:
        predecessors.first[np.uintp(s)] = after
    else:
        predecessors.after[np.uintp(before)] = after
    if after != NONE:
        predecessors.before[np.uintp(after)] = before
    predecessors.before[np.uintp(edge)] = LOOSE

"""Small MDPs with known answers, a generator of awkward random ones, and the plain dense arithmetic to hold them against."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.mdp import MDP, from_P

UP, RIGHT, DOWN, LEFT, STAY = range(5)
MOVES = {UP: (-1, 0), RIGHT: (0, 1), DOWN: (1, 0), LEFT: (0, -1), STAY: (0, 0)}


class Dense(NamedTuple):
    """An MDP written out by plain loops, independent of every fast path."""

    P: NDArray[np.float64]  # [S, A, S]  p(s_next and the episode goes on | s, a)
    r: NDArray[np.float64]  # [S, A]
    ends: NDArray[np.float64]  # [S, A]
    start: NDArray[np.float64]  # [S]


def dense(mdp: MDP) -> Dense:
    S, A = mdp.n_states, mdp.n_actions
    out = Dense(np.zeros((S, A, S)), np.zeros((S, A)), np.zeros((S, A)), np.diff(mdp.start_cdf, prepend=0.0))
    for s in range(S):
        for a in range(A):
            for k in range(mdp.indptr[s * A + a], mdp.indptr[s * A + a + 1]):
                out.r[s, a] += mdp.prob[k] * mdp.reward[k]
                if mdp.terminated[k]:
                    out.ends[s, a] += mdp.prob[k]
                else:
                    out.P[s, a, mdp.next_state[k]] += mdp.prob[k]
    return out


def dense_optimal(mdp: MDP, gamma: float, sweeps: int = 100_000) -> NDArray[np.float64]:
    """Plain dense value iteration from zero until nothing changes, or for `sweeps` sweeps."""
    P, r, _, _ = dense(mdp)
    v = np.zeros(mdp.n_states)
    for _ in range(sweeps):
        v_next = (r + gamma * P @ v).max(axis=1)
        if np.array_equal(v, v_next):
            break
        v = v_next
    return v


def dense_solution(mdp: MDP, gamma: float) -> tuple[NDArray[np.float64], float]:
    """v* for gamma < 1 by policy iteration with dense solves, and how far rounding may have left it from v*."""
    P, r, _, _ = dense(mdp)
    states = np.arange(mdp.n_states)
    policy = r.argmax(axis=1)
    while True:
        v = np.linalg.solve(np.eye(mdp.n_states) - gamma * P[states, policy], r[states, policy])
        q = r + gamma * P @ v
        margin = 1e-13 * np.abs(q).max() + 1e-15
        better = q.max(axis=1) > q[states, policy] + margin
        if not better.any():
            return v, float((np.abs(q.max(axis=1) - v).max() + margin) / (1 - gamma))
        policy = np.where(better, q.argmax(axis=1), policy)


def book_grid(
    rows: int,
    cols: int,
    forbidden: set[tuple[int, int]],
    target: tuple[int, int],
    *,
    r_boundary: float = -1.0,
    r_forbidden: float = -1.0,
    r_target: float = 1.0,
) -> MDP:
    """The book's deterministic grid; cells (row, column) count from 1 as in the book."""
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s in range(rows * cols):
        P[s] = {}
        for a, (down, right) in MOVES.items():
            row, col = s // cols + down, s % cols + right
            inside = 0 <= row < rows and 0 <= col < cols
            s_next = row * cols + col if inside else s
            cell = (s_next // cols + 1, s_next % cols + 1)
            reward = r_target if cell == target else r_forbidden if cell in forbidden else 0.0
            P[s][a] = [(1.0, s_next, reward if inside else r_boundary, False)]
    return from_P(P)


def book_2x2(**rewards: float) -> MDP:
    return book_grid(2, 2, {(1, 2)}, (2, 2), **rewards)


def book_3x3(**rewards: float) -> MDP:
    return book_grid(3, 3, {(2, 3), (3, 1)}, (3, 3), **rewards)


def book_5x5(**rewards: float) -> MDP:
    return book_grid(5, 5, {(2, 2), (2, 3), (3, 3), (4, 2), (4, 4), (5, 2)}, (4, 3), **rewards)


def random_walk(n: int = 5) -> MDP:
    """S&B example 6.2: left or right at random, reward 1 off the right end; true values 1/(n+1) .. n/(n+1)."""
    return from_P(
        [
            [[(1.0, max(s - 1, 0), 0.0, s == 0)], [(1.0, min(s + 1, n - 1), float(s == n - 1), s == n - 1)]]
            for s in range(n)
        ]
    )


def small_grid() -> MDP:
    """S&B example 4.1: a 4x4 grid, -1 a step, the two corners terminal; the uniform policy is worth 0 -14 -20 -22 ..."""
    P = []
    for s in range(16):
        moves = []
        for a in (UP, DOWN, RIGHT, LEFT):
            row, col = s // 4 + MOVES[a][0], s % 4 + MOVES[a][1]
            s_next = row * 4 + col if 0 <= row < 4 and 0 <= col < 4 else s
            corner = s in (0, 15)
            moves.append([(1.0, s if corner else s_next, 0.0 if corner else -1.0, corner or s_next in (0, 15))])
        P.append(moves)
    return from_P(P)


def reward_chain(P: list[list[float]], r: list[float], start: list[float] | None = None) -> MDP:
    """A Markov reward chain, which is an MDP with one action; what a row lacks to 1 ends the episode."""
    rows = []
    for s, row in enumerate(P):
        outcomes = [(p, s_next, r[s], False) for s_next, p in enumerate(row) if p]
        end = 1.0 - sum(row)
        rows.append([[*outcomes, *([(end, s, r[s], True)] if end > 1e-12 else [])]])
    return from_P(rows, start)


def random_mdp(
    rng: np.random.Generator, *, max_states: int = 12, max_actions: int = 4, ends: float = 0.15, cycles: float = 0.3
) -> MDP:
    """An MDP of 1 .. max_states states with everything that trips a planner.

    Rows are single steps around a ring (with probability `cycles`; they make periodic chains), or have up to five
    outcomes, some of probability zero, some with the same successor but another reward; an outcome ends the episode
    with probability `ends`; often a tail of states can be reached by nobody.
    """
    S, A = int(rng.integers(1, max_states + 1)), int(rng.integers(1, max_actions + 1))
    reach = int(rng.integers(1, S + 1)) if rng.random() < 0.5 else S  # states reach .. S-1 are nobody's successor
    P: list[list[list[tuple[float, int, float, bool]]]] = []
    for s in range(S):
        P.append([])
        for _ in range(A):
            if rng.random() < cycles:
                P[s].append([(1.0, (s + 1) % reach, float(rng.normal()), bool(rng.random() < ends / 2))])
                continue
            n = int(rng.integers(1, 6))
            chance = rng.dirichlet(np.ones(n))
            if n > 1 and rng.random() < 0.3:
                chance[rng.integers(n)] = 0.0
                chance /= chance.sum()
            s_next = rng.integers(reach, size=n)
            over = rng.random(n) < ends
            P[s].append([(float(chance[k]), int(s_next[k]), float(rng.normal()), bool(over[k])) for k in range(n)])
    start = np.zeros(S)
    start[:reach] = rng.dirichlet(np.ones(reach))
    if reach > 1 and rng.random() < 0.5:
        start[:reach] = np.eye(reach)[rng.integers(reach)]
    return from_P(P, start)


def random_policy(rng: np.random.Generator, mdp: MDP, *, zeros: float = 0.2) -> NDArray[np.float64]:
    """A stochastic policy [S, A]; each action but one is ruled out with probability `zeros`."""
    pi: NDArray[np.float64] = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
    pi[rng.random(pi.shape) < zeros] = 0.0
    pi[np.arange(mdp.n_states), rng.integers(mdp.n_actions, size=mdp.n_states)] += 0.1
    return pi / pi.sum(axis=1, keepdims=True)

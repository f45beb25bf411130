"""Plain twins of the compiled kernels, one scalar at a time, and a dense solve in extended precision with its own proof."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.mdp import MDP
from rlkit.tabular.model import Model, Sparse, dense_table
from tests.probes import dense


class Optimum(NamedTuple):
    v: NDArray[np.float64]  # [S]
    q: NDArray[np.float64]  # [S, A]
    error: float  # proven max |v - v*|


def optimum(mdp: MDP, gamma: float) -> Optimum:
    """Policy iteration with np.linalg.solve, refined until Bellman's residual in long double is nothing."""
    P, r, _, _ = dense(mdp)
    state = np.arange(mdp.n_states)
    policy = r.argmax(axis=1)
    P_long, r_long, factor = P.astype(np.longdouble), r.astype(np.longdouble), np.longdouble(gamma)
    for _ in range(1000):
        system = np.eye(mdp.n_states) - gamma * P[state, policy]
        v = np.linalg.solve(system, r[state, policy]).astype(np.longdouble)
        for _ in range(3):
            q = r_long + factor * (P_long @ v)
            v += np.linalg.solve(system, (q[state, policy] - v).astype(np.float64))
        q = r_long + factor * (P_long @ v)
        residual = float(np.abs(q.max(axis=1) - v).max())
        if residual <= 1e-15 * (1 + float(np.abs(v).max())) * (1 - gamma):
            break
        better = q.argmax(axis=1)
        swap = q[state, better] > q[state, policy]
        policy = np.where(swap, better, policy)
    error = residual / (1 - gamma) + 2e-16 * float(np.abs(v).max())
    assert error < 1e-9
    return Optimum(v.astype(np.float64), q.astype(np.float64), error)


def terms(model: Model, s: int, a: int) -> tuple[float, list[tuple[float, int]]]:
    """The reward of an action, and what it reads: (weight, successor) in the kernels' order."""
    if isinstance(model, Sparse):
        row = s * model.n_actions + a
        k = range(model.indptr[row], model.indptr[row + 1])
        return float(model.reward[row]), [(float(model.weight[i]), int(model.successor[i])) for i in k]
    offset, reward, weight = dense_table(model)
    rule = model.rule[s]
    slots = range(len(model.slots))
    return float(reward[rule, a]), [(float(weight[rule, m, a]), s + int(offset[rule, m])) for m in slots]


def plain_q(model: Model, v: NDArray[np.float64], s: int, a: int) -> float:
    """q(s, a), rounded after every product and every sum."""
    q, reads = terms(model, s, a)
    for weight, successor in reads:
        q += weight * float(v[successor])
    return q


def fused_q(model: Model, v: NDArray[np.float64], s: int, a: int) -> float:
    """q(s, a), rounded once for a product and its sum: a fused multiply-add, by exact fractions."""
    q, reads = terms(model, s, a)
    for weight, successor in reads:
        q = float(Fraction(weight) * Fraction(float(v[successor])) + Fraction(q))
    return q


def plain_best(model: Model, v: NDArray[np.float64], s: int) -> float:
    """max_a q(s, a), as the sweeps compute it: fused on a stencil, plain on sparse rows."""
    q_of = plain_q if isinstance(model, Sparse) else fused_q
    return max(q_of(model, v, s, a) for a in range(model.n_actions))


def plain_sweep(model: Model, v: NDArray[np.float64]) -> NDArray[np.float64]:
    """T v."""
    return np.array([plain_best(model, v, s) for s in range(model.n_states)])


def plain_gauss_seidel(model: Model, v: NDArray[np.float64], order: NDArray[np.int64]) -> NDArray[np.float64]:
    """A sweep in place, in the given order, on a copy."""
    v = v.copy()
    for s in order:
        v[s] = plain_best(model, v, int(s))
    return v


def plain_greedy(model: Model, v: NDArray[np.float64]) -> NDArray[np.int64]:
    """The lowest of the best actions."""
    q = [[plain_q(model, v, s, a) for a in range(model.n_actions)] for s in range(model.n_states)]
    return np.array([row.index(max(row)) for row in q])


def plain_evaluate(model: Model, policy: NDArray[np.int64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """r_pi + gamma P_pi v."""
    return np.array([plain_q(model, v, s, int(policy[s])) for s in range(model.n_states)])

"""Bellman's equations as kernels: one state, one sweep, one residual, on `Sparse` and `Stencil` models alike.

Every kernel takes a model with the discount multiplied in (rlkit.tabular.model), so that
q(s, a) = reward(s, a) + sum_s' weight(s, a, s') v(s') is Zhao (2.14), and its maximum over a is Zhao (3.1).
"""

from typing import Any

import numpy as np
from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

from rlkit.arrays import Floats, Ints
from rlkit.tabular.lanes import largest_value
from rlkit.tabular.model import Sparse

_INDEX = np.uintp  # an unsigned index saves the check for a negative one


def best_value(model: Any, v: Floats, s: int) -> float:
    """Return max_a q(s, a) (Zhao (3.1)); for compiled code, by the overload below."""
    raise TypeError("best_value is for compiled code; q_of gives all action values")


def action_value(model: Any, v: Floats, s: int, a: int) -> float:
    """Return q(s, a) (Zhao (2.14)); for compiled code, by the overload below."""
    raise TypeError("action_value is for compiled code; q_of gives all action values")


@overload(best_value)
def _best_value(model: Any, v: Floats, s: int) -> Any:
    if model.instance_class is Sparse:

        def of_rows(model: Any, v: Floats, s: int) -> Any:
            best = -np.inf
            for a in range(model.n_actions):
                q = action_value(model, v, s, a)
                best = max(best, q)
            return best

        return of_rows

    def of_rule(model: Any, v: Floats, s: int) -> Any:
        return largest_value(model.table, model.offset, model.rule[_INDEX(s)], v, s, model.slots, model.lanes)

    return of_rule


@overload(action_value)
def _action_value(model: Any, v: Floats, s: int, a: int) -> Any:
    if model.instance_class is Sparse:

        def of_row(model: Any, v: Floats, s: int, a: int) -> Any:
            row = _INDEX(s * model.n_actions + a)
            q = model.reward[row]
            for k in range(_INDEX(model.indptr[row]), _INDEX(model.indptr[row + _INDEX(1)])):
                q += model.weight[k] * v[_INDEX(model.successor[k])]
            return q

        return of_row

    def of_rule(model: Any, v: Floats, s: int, a: int) -> Any:
        n_slots, n_lanes = len(model.slots), len(model.lanes)
        rule = model.rule[_INDEX(s)]
        place = _INDEX(rule * (n_slots + 1) * n_lanes + a)
        q = model.table[place]
        for m in range(n_slots):
            place += _INDEX(n_lanes)
            q += model.table[place] * v[_INDEX(s + model.offset[_INDEX(rule * n_slots + m)])]
        return q

    return of_rule


@njit(cache=True, nogil=True)
def jacobi(model: Any, v: Floats, out: Floats) -> tuple[float, float]:
    """One sweep out = T v from the old values alone (Zhao, algorithm 4.1); returns min and max of T v - v."""
    low, high = np.inf, -np.inf
    for s in range(model.n_states):
        value = best_value(model, v, s)
        out[s] = value
        low = min(low, value - v[s])
        high = max(high, value - v[s])
    return low, high


@njit(cache=True, nogil=True)
def residual(model: Any, v: Floats) -> tuple[float, float, float]:
    """Return min and max over s of (T v - v)(s), and the largest |v|; changes nothing."""
    extremes: tuple[float, float, float] = residual_between(model, v, 0, model.n_states)
    return extremes


@njit(cache=True, nogil=True)
def residual_between(model: Any, v: Floats, first: int, last: int) -> tuple[float, float, float]:
    """Return what `residual` does, of the states first .. last - 1 alone."""
    low, high, size = np.inf, -np.inf, 0.0
    for s in range(first, last):
        gap = best_value(model, v, s) - v[s]
        low = min(low, gap)
        high = max(high, gap)
        size = max(size, abs(v[s]))
    return low, high, size


@njit(cache=True, nogil=True)
def gauss_seidel(model: Any, v: Floats, order: Ints) -> None:
    """One sweep in place, states in the given order, each from the newest values."""
    for s in order:
        v[s] = best_value(model, v, s)


@njit(cache=True, nogil=True)
def greedy(model: Any, v: Floats, policy: Ints, margin: float) -> int:
    """Improve a policy in place (Zhao section 4.2): the lowest of the best actions, where it is better by more than margin.

    Returns the number of states that changed. A margin of -inf takes the greedy action everywhere.
    """
    changed = 0
    for s in range(model.n_states):
        best, choice = -np.inf, 0
        for a in range(model.n_actions):
            q = action_value(model, v, s, a)
            if q > best:
                best, choice = q, a
        if choice != policy[s] and (margin == -np.inf or best > action_value(model, v, s, policy[s]) + margin):
            policy[s] = choice
            changed += 1
    return changed


@njit(cache=True, nogil=True)
def evaluate(model: Any, policy: Ints, v: Floats, out: Floats) -> float:
    """One sweep of policy evaluation, out = r_pi + gamma P_pi v (Zhao (2.11)); returns max |out - v|."""
    change = 0.0
    for s in range(model.n_states):
        out[s] = action_value(model, v, s, policy[s])
        change = max(change, abs(out[s] - v[s]))
    return change


@njit(cache=True, nogil=True)
def action_values(model: Any, v: Floats, q: Floats) -> None:
    """Fill q [S, A] with the action values of v (Zhao (2.14))."""
    for s in range(model.n_states):
        for a in range(model.n_actions):
            q[s, a] = action_value(model, v, s, a)


def near_best(q: NDArray[np.float64], error: float) -> NDArray[np.bool_]:
    """Return [S, A]: the actions that cannot be told from the best ones when every q may be wrong by `error`, or by 5e-10 |q|."""
    slack = 1e-9 * max(1.0, float(np.abs(q[np.isfinite(q)]).max(initial=0.0)))
    if np.isfinite(error):
        slack = max(slack, 2 * error)
    best: NDArray[np.bool_] = q >= q.max(axis=1, keepdims=True) - slack
    return best


def q_of(model: object, v: NDArray[np.float64], n_actions: int) -> NDArray[np.float64]:
    """Return the action values [S, A] of v."""
    q = np.empty((len(v), n_actions))
    action_values(model, v, q)
    return q

"""Policy evaluation as a linear system: (I - gamma P_pi) v = r_pi, built from a model and solved exactly."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import MatrixRankWarning, splu

from rlkit.tabular.model import Model, Sparse, dense_table


def rows(model: Model) -> tuple[csr_array[np.float64], NDArray[np.float64]]:
    """Return gamma p(s' | s, a) as sparse rows [S*A, S] and r(s, a) as [S*A]."""
    shape = model.n_states * model.n_actions, model.n_states
    if isinstance(model, Sparse):
        return csr_array((model.weight, model.successor, model.indptr), shape=shape), model.reward
    offset, reward, weight = dense_table(model)
    weight = weight[model.rule].transpose(0, 2, 1)  # [S, A, M]
    state, action, slot = np.nonzero(weight)
    successor = state + offset[model.rule[state], slot]
    pair = state * model.n_actions + action
    return csr_array((weight[state, action, slot], (pair, successor)), shape=shape), reward[model.rule].ravel()


def policy_system(model: Model, policy: NDArray[np.int64]) -> tuple[csr_array, NDArray[np.float64]]:
    """Return gamma P_pi [S, S] and r_pi [S] of a deterministic policy (Zhao (2.8))."""
    size = model.n_states
    state = np.arange(size)
    if isinstance(model, Sparse):
        row = state * model.n_actions + policy
        width = model.indptr[row + 1] - model.indptr[row]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(width)])
        picked = np.repeat(model.indptr[row] - indptr[:-1], width) + np.arange(indptr[-1])
        transition = csr_array((model.weight[picked], model.successor[picked], indptr), shape=(size, size))
        reward = model.reward[row]
    else:
        offset, gain, weight = dense_table(model)
        chosen = weight[model.rule, :, policy]  # [S, M]
        source, slot = np.nonzero(chosen)
        target = source + offset[model.rule[source], slot]
        transition = csr_array((chosen[source, slot], (source, target)), shape=(size, size))
        reward = gain[model.rule, policy]
    transition.sum_duplicates()
    return transition, reward


def exact_value(model: Model, policy: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Solve for the value of a policy by sparse LU; None where it never ends under gamma 1 (a singular system)."""
    transition, reward = policy_system(model, policy)
    system = csc_array(eye_array(model.n_states, format="csc") - transition)
    return solve(system, reward)


class Ended(NamedTuple):
    """What a policy that ends is worth under gamma 1, and when."""

    v: NDArray[np.float64]  # [S]
    steps: NDArray[np.float64]  # [S]  expected, until the end of an episode


def ended_value(model: Model, policy: NDArray[np.int64]) -> Ended | None:
    """Solve for the value and the steps of a policy under gamma 1; None where floating point cannot tell that it ends.

    The steps are the condition of the system: each of them may lose what a backup does.
    """
    transition, reward = policy_system(model, policy)
    system = csc_array(eye_array(model.n_states, format="csc") - transition)
    found = solve(system, np.column_stack([reward, np.ones(model.n_states)]))
    if found is None:
        return None
    v, steps = np.ascontiguousarray(found.T)
    lost = (model.terms + 2) * float(np.finfo(np.float64).eps) * steps.max()
    return None if steps.min() < 0.5 or lost > 1e-3 else Ended(v, steps)  # below 0.5 it ends by rounding alone


def policy_value(model: Model, policy: NDArray[np.int64], gamma: float) -> NDArray[np.float64] | None:
    """Return the value [S] of a policy; None where, under gamma 1, floating point cannot tell it."""
    if gamma < 1.0:
        return exact_value(model, policy)
    ended = ended_value(model, policy)
    return None if ended is None else ended.v


def solve(system: csc_array, right: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Solve a sparse system by LU for one right side [S] or several [S, k]; None where it is singular."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatrixRankWarning)
        try:
            solution: NDArray[np.float64] = splu(system).solve(right)
        except RuntimeError:  # SuperLU's way to say that the system is exactly singular
            return None
    return solution if np.isfinite(solution).all() else None

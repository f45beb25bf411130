"""Whether going round in circles for ever pays, so that no return at gamma 1 has a bound: policy iteration with a way out."""

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array, eye_array
from scipy.sparse.csgraph import breadth_first_order

from rlkit.arrays import Bools, Ints
from rlkit.tabular.certificate import rounding_error
from rlkit.tabular.ends import can_end, earns_without_end, edges
from rlkit.tabular.linear import rows, solve
from rlkit.tabular.model import Model


def pays_for_ever(model: Model) -> Bools:
    """Mark states [S] from which a policy never ends and earns more than 0 a step in the long run; none where none does.

    In a copy of the world every state may stop, at no reward, and every other action neither ends nor leads to where one
    must stop. Policy iteration begins with stopping everywhere. The best policies that stop have a value v that no
    action improves, so that on every circle, visited with frequencies d, d r = d (r + P v - v) <= 0. A policy that is
    better than one that stops and does not stop itself has a circle with d r = d (r + P v - v) > 0.

    Args:
        model: under gamma 1.
    """
    never = np.zeros(model.n_states, np.bool_)
    if not earns_without_end(model):
        return never
    transition, flat = rows(model)
    reward = flat.reshape(model.n_states, -1)
    staying = ~can_end(model)
    _keep_inside(model, staying)
    policy = np.full(model.n_states, -1)  # -1: stop
    v = np.zeros(model.n_states)
    while True:
        q = np.where(staying, reward + (transition @ v).reshape(reward.shape), -np.inf)
        better = q.max(axis=1) > v + 8 * rounding_error(model, float(v.max()))
        if not better.any():
            return never
        policy[better] = q.argmax(axis=1)[better]
        on = np.flatnonzero(policy >= 0)
        step = csr_array(transition[on * model.n_actions + policy[on]])
        endless = ~_stops(on, step)
        if endless.any():
            return endless
        inner = csc_array(eye_array(len(on), format="csc") - step[:, on])
        value = solve(inner, reward[on, policy[on]])
        if value is None:  # what stops it is too rare for floating point
            never[on] = True
            return never
        v[on] = value


def _keep_inside(model: Model, staying: Bools) -> None:
    """Strike out of the pairs [S, A] those that may lead to a state that has none left, one step in each round."""
    source, action, target = edges(model)
    while True:
        state = np.asarray(staying.any(axis=1))
        lost = staying[source, action] & ~state[target]
        if not lost.any():
            return
        staying[source[lost], action[lost]] = False


def _stops(on: Ints, step: csr_array) -> Bools:
    """Mark the states [S] that can get to one which is not `on`, where the states `on` move by the rows of `step`."""
    n_states = step.shape[1]
    moves = step.tocoo()
    off = np.setdiff1d(np.arange(n_states), on)
    source = np.concatenate([on[moves.row], off])
    target = np.concatenate([moves.col, np.full(len(off), n_states)])
    back = coo_array((np.ones(len(source)), (target, source)), shape=(n_states + 1, n_states + 1)).tocsr()
    found = np.zeros(n_states + 1, np.bool_)
    found[breadth_first_order(back, n_states, return_predecessors=False)] = True
    return found[:-1]

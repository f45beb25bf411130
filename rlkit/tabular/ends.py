"""Who can come to an end: the graph of a model, whether an episode can go on for ever, and a policy that ends them all."""

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Bools, Ints
from rlkit.tabular.model import Model, Sparse, dense_table


def never_ends(model: Model, gamma: float) -> bool:
    """Whether every action of every state goes on with probability one, up to rounding."""
    slack = (model.terms + 2) * np.finfo(np.float64).eps * gamma
    return bool((np.abs(masses(model) - gamma) <= slack).all())


def ending_policy(model: Model, allowed: Bools | None = None) -> Ints:
    """Return a policy [S] that ends the episode with probability one; -1 where no action leads to an end.

    Walks back from the state-action pairs that can end at once, one step in each round.

    Args:
        model: under gamma 1.
        allowed: [S, A] the actions to choose from; all of them when left out.
    """
    source, action, target = edges(model)
    ending = _can_end(model)
    if allowed is not None:
        ending &= allowed
        kept = allowed[source, action]
        source, action, target = source[kept], action[kept], target[kept]
    policy = np.where(ending.any(axis=1), ending.argmax(axis=1), -1)
    while True:
        step = (policy[target] >= 0) & (policy[source] < 0)
        if not step.any():
            return policy
        policy[source[step]] = action[step]


def pays_for_ever(model: Model) -> Bools:
    """Mark the states [S] from which some policy never ends and earns a reward above 0 at every step.

    Strikes out the pairs that do not, then those that may lead to a state that has none left, one step in each round.

    Args:
        model: under gamma 1.
    """
    reward = (
        model.reward.reshape(model.n_states, -1) if isinstance(model, Sparse) else dense_table(model)[1][model.rule]
    )
    pays = (reward > 0.0) & ~_can_end(model)
    if not pays.any():
        return np.zeros(model.n_states, np.bool_)
    source, action, target = edges(model)
    while True:
        state = np.asarray(pays.any(axis=1))
        lost = pays[source, action] & ~state[target]
        if not lost.any():
            return state
        pays[source[lost], action[lost]] = False


def edges(model: Model) -> tuple[Ints, Ints, Ints]:
    """Return the triples (s, a, s') that have a positive probability to go on."""
    if isinstance(model, Sparse):
        row = np.repeat(np.arange(model.n_states * model.n_actions), np.diff(model.indptr))
        return row // model.n_actions, row % model.n_actions, model.successor.astype(np.int64)
    offset, _, weight = dense_table(model)
    state, slot, action = np.nonzero((weight > 0.0)[model.rule])
    return state, action, state + offset[model.rule[state], slot]


def _can_end(model: Model) -> Bools:
    """Mark the pairs [S, A] that can end the episode at once; rows may sum to 1 - 1e-8."""
    ending = masses(model) < 1.0 - 1e-7
    return ending if isinstance(model, Sparse) else ending[model.rule]


def masses(model: Model) -> NDArray[np.float64]:
    """Return the weight of going on, [S, A] for sparse rows and [R, A] for the rules of a stencil."""
    if not isinstance(model, Sparse):
        per_rule: NDArray[np.float64] = dense_table(model)[2].sum(axis=1)
        return per_rule
    mass = np.zeros(model.n_states * model.n_actions)
    filled = np.diff(model.indptr) > 0
    mass[filled] = np.add.reduceat(model.weight, model.indptr[:-1][filled])
    return mass.reshape(model.n_states, model.n_actions)

"""Who can come to an end: the graph of a model, whether an episode can go on for ever, and a policy that ends them all."""

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Bools, Ints
from rlkit.tabular.model import SURE, Model, Sparse, dense_table


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
    ending = can_end(model)
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


def edges(model: Model) -> tuple[Ints, Ints, Ints]:
    """Return the triples (s, a, s') that have a positive probability to go on."""
    if isinstance(model, Sparse):
        row = np.repeat(np.arange(model.n_states * model.n_actions), np.diff(model.indptr))
        return row // model.n_actions, row % model.n_actions, model.successor.astype(np.int64)
    offset, _, weight = dense_table(model)
    state, slot, action = np.nonzero((weight > 0.0)[model.rule])
    return state, action, state + offset[model.rule[state], slot]


def earns_without_end(model: Model) -> bool:
    """Whether some action has a reward above 0 and cannot end the episode: else no circle can pay."""
    return bool(((rewards(model) > 0.0) & (masses(model) >= SURE)).any())


def can_end(model: Model) -> Bools:
    """Mark the pairs [S, A] that can end the episode at once."""
    ending = masses(model) < SURE
    return ending if isinstance(model, Sparse) else ending[model.rule]


def rewards(model: Model) -> NDArray[np.float64]:
    """Return the expected rewards, [S, A] for sparse rows and [R, A] for the rules of a stencil."""
    return model.reward.reshape(-1, model.n_actions) if isinstance(model, Sparse) else dense_table(model)[1]


def masses(model: Model) -> NDArray[np.float64]:
    """Return the weight of going on, [S, A] for sparse rows and [R, A] for the rules of a stencil."""
    if not isinstance(model, Sparse):
        per_rule: NDArray[np.float64] = dense_table(model)[2].sum(axis=1)
        return per_rule
    mass = np.zeros(model.n_states * model.n_actions)
    filled = np.diff(model.indptr) > 0
    mass[filled] = np.add.reduceat(model.weight, model.indptr[:-1][filled])
    return mass.reshape(model.n_states, model.n_actions)

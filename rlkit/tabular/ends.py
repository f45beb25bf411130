"""Who can come to an end: the graph of a model, whether an episode can go on for ever, and a policy that ends them all."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from rlkit.arrays import Bools, Floats, Ints
from rlkit.tabular.model import SURE, Model, Sparse, dense_table


def never_ends(model: Model, gamma: float) -> bool:
    """Whether every action of every state goes on with probability one, up to rounding."""
    slack = (model.terms + 2) * np.finfo(np.float64).eps * gamma
    return bool((np.abs(masses(model) - gamma) <= slack).all())


def ending_policy(model: Model, allowed: Bools | None = None) -> Ints:
    """Return a policy [S] that ends the episode with probability one, soon; -1 where no action leads to an end.

    It follows the way to an end with the least Σ 1/p, p the probabilities of its steps: the number of steps that it takes
    where one that fails leaves everything as it was. Any way would end, but one over steps that hardly ever happen so late
    that floating point cannot tell its value.

    Args:
        model: under gamma 1.
        allowed: [S, A] the actions to choose from; all of them when left out.
    """
    n = model.n_states
    source, action, target = edges(model)
    weight = _weights(model)
    mass, over = masses(model), can_end(model)
    stopping = np.argwhere(over)
    end = (1.0 - (mass if isinstance(model, Sparse) else mass[model.rule]))[over]
    source, action = np.concatenate([source, stopping[:, 0]]), np.concatenate([action, stopping[:, 1]])
    target, weight = np.concatenate([target, np.full(len(end), n)]), np.concatenate([weight, end])
    if allowed is not None:
        kept = allowed[source, action]
        source, action, target, weight = source[kept], action[kept], target[kept], weight[kept]
    order = np.lexsort((action, -weight, source, target))  # the likeliest action first, of those from s to s'
    pair = (target * (n + 1) + source)[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    best = order[first]
    cost = 1.0 / np.maximum(weight[best], 1e-200)
    graph = coo_array((cost, (target[best], source[best])), shape=(n + 1, n + 1)).tocsr()
    after = dijkstra(graph, True, [n], True)[1][0]  # from the end, along reversed steps
    ends = np.flatnonzero(after[:n] >= 0)
    policy = np.full(n, -1)
    policy[ends] = action[best[np.searchsorted(pair[first], after[ends].astype(np.int64) * (n + 1) + ends)]]
    return policy


def edges(model: Model) -> tuple[Ints, Ints, Ints]:
    """Return the triples (s, a, s') that have a positive probability to go on."""
    if isinstance(model, Sparse):
        row = np.repeat(np.arange(model.n_states * model.n_actions), np.diff(model.indptr))
        return row // model.n_actions, row % model.n_actions, model.successor.astype(np.int64)
    offset, _, weight = dense_table(model)
    state, slot, action = np.nonzero((weight > 0.0)[model.rule])
    return state, action, state + offset[model.rule[state], slot]


def _weights(model: Model) -> Floats:
    """Return the probabilities of `edges`, in their order."""
    if isinstance(model, Sparse):
        return model.weight
    weight = dense_table(model)[2]
    return weight[model.rule][(weight > 0.0)[model.rule]]


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

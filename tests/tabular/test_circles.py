"""Circles that pay on the whole are found, and no others: by hand, and against the linear program of the mean reward."""

import numpy as np
from scipy.optimize import linprog

from rlkit.mdp import from_P
from rlkit.tabular.circles import pays_for_ever
from rlkit.tabular.model import sparse, stencil
from tests.probes import dense, random_mdp


def models(mdp):
    return [model for model in (sparse(mdp, 1.0), stencil(mdp, 1.0)) if model is not None]


def ring(*rewards):
    """States in a ring that pay these rewards for going on; an end is worth 0 everywhere."""
    n = len(rewards)
    return from_P([[[(1.0, s, 0.0, True)], [(1.0, (s + 1) % n, r, False)]] for s, r in enumerate(rewards)])


def test_rings():
    for rewards, pays in (
        ((3.0, -2.0), True),
        ((3.0, -3.0), False),
        ((3.0, -4.0), False),
        ((-5.0, 1.0, 1.0, 1.0, 1.0, 1.0 + 1e-9), True),
        ((0.1, 0.2, -0.3), False),  # 5.6e-17 in floating point
        ((0.0, 1e-300), True),
        ((1.0,), True),
        ((0.0,), False),
    ):
        for model in models(ring(*rewards)):
            assert pays_for_ever(model).all() == pays_for_ever(model).any() == pays, rewards


def test_a_reward_on_the_way_into_a_circle_pays_once():
    end = [(1.0, 0, 0.0, True)]
    for back, marked in ((-1.0, [False] * 3), (1.0, [True] * 3)):
        mdp = from_P([[end, [(1.0, 1, 9.0, False)]], [end, [(1.0, 2, back, False)]], [end, [(1.0, 1, 0.0, False)]]])
        for model in models(mdp):
            np.testing.assert_array_equal(pays_for_ever(model), marked)


def test_the_mean_reward_decides():
    rng = np.random.default_rng(3)
    found = {False: 0, True: 0}
    for _ in range(300):
        mdp = random_mdp(rng, ends=0.1, cycles=rng.random())
        mdp = mdp._replace(reward=np.round(2 * mdp.reward - rng.integers(0, 4)))
        pays = best_mean(mdp) > 1e-9
        found[pays] += 1
        for model in models(mdp):
            assert pays_for_ever(model).any() == pays
    assert min(found.values()) > 80


def best_mean(mdp):
    """The largest mean reward of a policy that never ends: max x r over flows x of pairs that cannot end."""
    P, r, ends, _ = dense(mdp)
    kept = np.flatnonzero(ends.ravel() < 1e-7)
    if not len(kept):
        return -np.inf
    balance = -P.reshape(-1, mdp.n_states)[kept].T
    balance[kept // mdp.n_actions, np.arange(len(kept))] += 1.0
    flow = np.vstack([balance, np.ones(len(kept))])
    mean = linprog(-r.ravel()[kept], A_eq=flow, b_eq=[*np.zeros(mdp.n_states), 1.0])
    return -mean.fun if mean.status == 0 else -np.inf

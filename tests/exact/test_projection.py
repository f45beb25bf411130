"""The fixed point of linear TD: the book's figures 8.7 and 8.8, and what it is by definition."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from rlkit.exact.projection import td_fixed_point
from tests.follow import features
from tests.probes import dense, random_mdp, random_policy

GAMMA = 0.9


@pytest.mark.parametrize(
    ("text", "error"), [("polynomial(1)", 0.2228), ("fourier(2)", 0.1374), ("one-hot", 0.0), ("aggregate(5)", 0.0)]
)
def test_the_books_figures(text, error):
    env = gym.make("GridWorld-v0")
    mdp, pi = rlkit.from_env(env), np.full((25, 5), 0.2)
    phi = features(rlkit.make("td_linear", env, features=text))
    v = phi @ td_fixed_point(mdp, pi, GAMMA, phi)
    assert np.sqrt(np.mean((v - exact.value(mdp, pi, GAMMA)) ** 2)) == pytest.approx(error, abs=5e-5)


def test_the_projected_bellman_error_is_zero():
    rng = np.random.default_rng(0)
    for _ in range(30):
        mdp = random_mdp(rng)
        pi, phi = random_policy(rng, mdp), rng.normal(size=(mdp.n_states, min(3, mdp.n_states)))
        weighting = rng.dirichlet(np.ones(mdp.n_states))
        w = td_fixed_point(mdp, pi, 0.7, phi, weighting)
        P, r, _, _ = dense(mdp)
        error = (pi * (r + 0.7 * P @ (phi @ w))).sum(axis=1) - phi @ w
        if np.linalg.matrix_rank(phi) == phi.shape[1]:
            assert np.allclose(phi.T @ (weighting * error), 0.0, atol=1e-9)


def test_wrong_shapes_are_named():
    mdp = random_mdp(np.random.default_rng(1))
    pi = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)
    with pytest.raises(ValueError, match="phi has shape"):
        td_fixed_point(mdp, pi, 0.9, np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="weighting has shape"):
        td_fixed_point(mdp, pi, 0.9, np.eye(mdp.n_states), np.ones(99))

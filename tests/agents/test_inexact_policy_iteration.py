"""Inexact policy iteration: few rounds, as policy iteration, at the price of products; and a way out where Krylov stalls."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit.agents import inexact_policy_iteration as module
from rlkit.agents import policy_iteration
from rlkit.agents.inexact_policy_iteration import Config, make
from rlkit.tabular.linear import exact_value, policy_system
from rlkit.tabular.model import sparse
from tests.probes import book_2x2, book_5x5, random_mdp
from tests.reference import optimum


def test_it_needs_about_as_many_rounds_as_policy_iteration():
    world = gym.make("GridWorld-v0", layout="random", rows=30, cols=30, slip=0.2, actions=4, r_step=-0.01)
    inexact = make(world, Config(gamma=0.999))
    list(inexact.updates(500))
    exact = policy_iteration.make(world, policy_iteration.Config(gamma=0.999))
    list(exact.updates(500))
    assert inexact.converged
    assert exact.converged
    assert inexact.step <= 3 * exact.step
    assert np.abs(inexact.v - exact.v).max() <= inexact.bound + exact.bound


def test_krylov_solves_for_the_value_of_a_policy():
    rng = np.random.default_rng(0)
    for _ in range(40):
        model = sparse(random_mdp(rng), 0.9)
        policy = rng.integers(model.n_actions, size=model.n_states)
        transition, reward = policy_system(model, policy)
        solution, used = module._krylov(transition, reward, np.zeros(model.n_states), 1e-12, 1000)
        np.testing.assert_allclose(solution, exact_value(model, policy), atol=1e-9)
        assert used % 2 == 0


@pytest.mark.parametrize("answer", [np.nan, 1e9])
def test_where_krylov_stalls_plain_sweeps_go_on(monkeypatch, answer):
    monkeypatch.setattr(module, "_krylov", lambda *arguments: (np.full_like(arguments[2], answer), 2))
    agent = make(book_5x5(), Config())
    list(agent.updates(200))
    assert agent.converged
    best = optimum(book_5x5(), 0.9)
    assert np.abs(agent.v - best.v).max() <= agent.bound + best.error
    assert agent.plan.work == pytest.approx(agent.step * (1 + 54 / 5))  # two attempts, then fifty sweeps


@pytest.mark.parametrize("map_seed", range(6))
def test_policies_do_not_follow_each_other_in_circles(map_seed):
    arguments = {"rows": 30, "cols": 30, "slip": 0.2, "actions": 4, "r_step": -0.01, "map_seed": map_seed}
    agent = make(gym.make("GridWorld-Random-v0", **arguments), Config(gamma=0.9999))
    list(agent.updates(60))
    assert agent.converged


@pytest.mark.parametrize("forcing", [0.01, 0.5, 0.99])
def test_any_forcing_gets_there(forcing):
    rng = np.random.default_rng(1)
    for _ in range(20):
        mdp = random_mdp(rng)
        agent = make(mdp, Config(forcing=forcing))
        list(agent.updates(2000))
        assert agent.converged
        best = optimum(mdp, 0.9)
        assert np.abs(agent.v - best.v).max() <= agent.bound + best.error


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"forcing": 0.0}, "forcing is 0.0; it must lie between 0 and 1"),
        ({"forcing": 1.0}, "forcing is 1.0"),
        ({"iterations": 0}, "iterations is 0; it must be at least 1"),
        ({"fallback": 0}, "fallback is 0"),
    ],
)
def test_configurations_that_cannot_run(config, message):
    with pytest.raises(ValueError, match=message):
        make(book_2x2(), Config(**config))

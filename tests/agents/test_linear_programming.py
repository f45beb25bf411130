"""Linear programming: the book's values, known worlds, its own bound on random MDPs, and worlds that have none."""

import gymnasium as gym
import numpy as np
import pytest

from rlkit import exact
from rlkit.agents.linear_programming import Config, make
from rlkit.mdp import from_env
from tests.probes import book_2x2, book_5x5, dense, dense_solution, random_mdp, reward_chain


def solved(world, **config):
    agent = make(world, Config(**config), seed=0)
    reports = list(agent.updates(10))
    assert len(reports) == 1
    assert reports[0].scalars["bound"] == agent.bound
    return agent


def test_the_books_worlds():
    np.testing.assert_allclose(solved(book_2x2()).v, [9, 10, 10, 10], atol=1e-12)
    v = solved(book_5x5()).v
    np.testing.assert_allclose(v[:5], [5.832, 5.58, 6.2, 6.48, 5.832], atol=5e-3)
    assert v.mean() == pytest.approx(7.79936, abs=5e-6)


def test_worlds_of_gymnasium():
    assert solved(gym.make("FrozenLake-v1"), gamma=0.99).v[0] == pytest.approx(0.542026, abs=5e-7)
    assert solved(gym.make("CliffWalking-v1"), gamma=1.0).v[36] == pytest.approx(-13, abs=1e-9)
    taxi = gym.make("Taxi-v4")
    assert dense(from_env(taxi)).start @ solved(taxi, gamma=1.0).v == pytest.approx(7.93, abs=5e-3)


def test_values_lie_within_the_reported_bound():
    rng = np.random.default_rng(0)
    for i in range(200):
        mdp, gamma = random_mdp(rng), (0.0, 0.5, 0.9, 0.99, 0.9999)[i % 5]
        agent = solved(mdp, gamma=gamma)
        v, error = dense_solution(mdp, gamma)
        assert np.abs(agent.v - v).max() <= agent.bound + error
        assert agent.converged
        assert agent.bound <= 1e-6


def test_its_policy_cannot_be_improved():
    rng = np.random.default_rng(1)
    for _ in range(100):
        mdp = random_mdp(rng)
        agent = solved(mdp, gamma=0.95)
        assert exact.advantage(mdp, exact.deterministic(mdp, agent.policy), 0.95).max() < 1e-10


def test_objective_is_the_mean_value():
    agent = make(book_5x5(), Config(), seed=0)
    (report,) = agent.updates(1)
    assert report.scalars["objective"] == pytest.approx(agent.v.mean(), abs=1e-12)
    assert report.scalars["residual"] < 1e-12


def test_a_solved_plan_is_not_solved_again_and_travels():
    agent = solved(book_2x2())
    assert list(agent.updates(1)) == []
    other = make(book_2x2(), Config(), seed=0)
    other.load_state_dict(agent.state_dict())
    assert other.converged
    np.testing.assert_array_equal(other.v, agent.v)
    assert other.act(0) == agent.act(0) == 2


def test_gamma_1_where_a_loop_pays_has_no_values():
    pays = reward_chain([[0.5, 0.5], [1.0, 0.0]], [1.0, 1.0])
    with pytest.raises(ValueError, match="gamma"):
        solved(pays, gamma=1.0)


def test_bad_configurations():
    with pytest.raises(ValueError, match="tolerance is 0"):
        make(book_2x2(), Config(tolerance=0.0), seed=0)
    with pytest.raises(ValueError, match=r"gamma is 1\.5"):
        make(book_2x2(), Config(gamma=1.5), seed=0)

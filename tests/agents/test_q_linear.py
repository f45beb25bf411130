"""Q-learning with linear values: a slow reference, Q-learning of tables with one-hot features, learning from data."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.learning.data import collect
from rlkit.learning.fixed import learn_from
from tests.follow import Greedy, features, follow, world


class Reference(Greedy):
    def update(self, step):
        ahead = self.q(step.s_next).max()
        error = step.r + 0.9 * (1 - step.terminated) * ahead - self.q(step.s)[step.a]
        self.w[step.a] += 0.05 * error * self.phi[step.s]


@pytest.mark.parametrize("name", ["FrozenLake-v1", "GridWorld-v0"])
@pytest.mark.parametrize("text", ["tiles(2, 2)", "fourier(2)"])
def test_it_equals_a_plain_loop(name, text):
    agent = rlkit.make("q_linear", world(name), features=text, alpha=0.05, epsilon=0.3, seed=6)
    list(agent.updates(1000))
    phi = features(agent)
    wanted = follow(name, 6, 1000, Reference(phi, agent.setting.n_actions, 0.3, choose_first=False))
    assert np.allclose(agent.memories[0].w, wanted.w, rtol=1e-8, atol=1e-11)
    assert np.allclose(agent.values, phi @ wanted.w.T, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("config", [{}, {"explore": "softmax"}, {"initial": 3.0, "epsilon": "1/(k+1)^0.2"}])
@pytest.mark.parametrize("name", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_one_hot_features_make_it_q_learning(name, config):
    linear, table = (
        rlkit.make(one, world(name), seed=2, **{"alpha": 0.1} | config) for one in ("q_linear", "q_learning")
    )
    for agent in (linear, table):
        list(agent.updates(5000))
    assert np.array_equal(linear.values, table.values)


@pytest.mark.parametrize(("config", "steps"), [({}, 8_000_000), ({"epsilon": 1.0}, 200_000)])
def test_it_finds_an_optimal_policy(config, steps):
    env = gym.make("GridWorld-v0", max_episode_steps=100)
    agent = rlkit.make("q_linear", env, seeds=20, report=steps, **config)
    list(agent.updates(steps))
    assert agent.each["optimal"].sum() >= 19


@pytest.mark.parametrize("text", ["tiles(4, 4)", "fourier(4)"])
def test_it_finds_a_good_policy_with_features_that_generalise(text):
    """Not an optimal one in every cell, which these features cannot promise; but one that is nearly as good from the start."""
    agent = rlkit.make("q_linear", "GridWorld-v0", features=text, alpha=0.02, epsilon=1.0, seeds=5, report=500_000)
    list(agent.updates(500_000))
    assert np.median(agent.each["regret"]) < 1.0, agent.each


def test_it_learns_from_data_as_the_table_does():
    data = collect("FrozenLake-v1", steps=3000)
    linear, table = (rlkit.make(one, "FrozenLake-v1", alpha=0.1) for one in ("q_linear", "q_learning"))
    for agent in (linear, table):
        list(learn_from(agent, data, 3))
    assert np.array_equal(linear.values, table.values)
    box = rlkit.make("q_linear", "CartPole-v1")
    list(learn_from(box, collect("CartPole-v1", steps=300)))
    assert np.any(box.memories[0].w != 0.0)


def test_what_counts_visits_is_refused():
    for config, message in (
        ({"alpha": "1/n"}, "alpha is '1/n', which counts the visits"),
        ({"epsilon": "1/n"}, "epsilon is '1/n', which counts the visits"),
        ({"explore": "ucb"}, "explore is 'ucb', which counts the visits"),
        ({"alpha": 2.0}, r"alpha is 2\.0"),
        ({"alpha": 0}, "alpha is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            rlkit.make("q_linear", "GridWorld-v0", **config)

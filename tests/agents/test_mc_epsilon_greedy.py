"""Monte Carlo epsilon-greedy against its textbook loop, hand-made returns, and the optimum."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from tests.agents import monte_carlo
from tests.probes import reward_chain


@pytest.mark.parametrize("visit", ["first", "every"])
@pytest.mark.parametrize("horizon", [7, 1000])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1"])
def test_it_does_what_the_textbook_says(world, horizon, visit):
    env = gym.make(world, max_episode_steps=40)
    first = visit == "first"
    plain = monte_carlo.control(env, steps=4000, seed=11, epsilon=0.3, first=first, horizon=horizon)
    agent = rlkit.make(
        "mc_epsilon_greedy", env, seed=11, engine="compiled", alpha=0.1, epsilon=0.3, visit=visit, horizon=horizon
    )
    list(agent.updates(4000))
    assert np.array_equal(agent.values, plain)
    assert np.any(plain != 0.0)


@pytest.mark.parametrize(("visit", "expected"), [("first", [1.75]), ("every", [(1.75 + 1.5 + 1.0) / 3])])
def test_first_visit_takes_the_first_return_and_every_visit_all(visit, expected):
    # One state and one action: the rewards 1, 1, 1 at gamma 0.5 return 1.75, 1.5 and 1 where the third one terminates.
    class Three(gym.Env):
        observation_space = action_space = gym.spaces.Discrete(1)

        def reset(self, **_):
            self.left = 3
            return 0, {}

        def step(self, _):
            self.left -= 1
            return 0, 1.0, self.left == 0, self.left == 0, {}  # both flags: then termination counts

    agent = rlkit.make("mc_epsilon_greedy", Three(), gamma=0.5, visit=visit, alpha="1/n", initial=100.0)
    list(agent.updates(2))
    assert agent.values[0].tolist() == [100.0], "nothing is learned before the end"
    list(agent.updates(1))
    np.testing.assert_allclose(agent.values[0], expected, rtol=1e-15)
    list(agent.updates(30))
    np.testing.assert_allclose(agent.values[0], expected, rtol=1e-14)


def test_a_cut_return_is_completed_by_the_estimate():
    agent = rlkit.make("mc_epsilon_greedy", reward_chain([[1.0]], [1.0]), alpha=1.0, horizon=2)
    q = 0.0
    for _ in range(5):
        list(agent.updates(2))
        q = 1.0 + 0.9 * (1.0 + 0.9 * q)
        np.testing.assert_allclose(agent.values, [[q]], rtol=1e-15)


def test_the_defaults_come_near_the_optimum_of_the_book():
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("mc_epsilon_greedy", env, seeds=20, report=2_000_000)
    *_, last = agent.updates(2_000_000)
    assert last.scalars["regret"] < 0.01  # of 7.8


@pytest.mark.slow
def test_the_defaults_find_the_optimum_of_the_book():
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("mc_epsilon_greedy", env, seeds=20, report=16_000_000)
    *_, last = agent.updates(16_000_000)
    assert agent.each["optimal"].sum() >= 19, last


@pytest.mark.slow
def test_blackjack_is_played_as_in_the_book():
    # S&B example 5.3, with epsilon-greedy play in the place of exploring starts. The optimum is -0.046556.
    agent = rlkit.make("mc_epsilon_greedy", "Blackjack-v1", gamma=1.0, alpha="1/n", seed=1, report=10**6)
    list(agent.updates(2_000_000))
    sticks = agent.policy.reshape(32, 11, 2) == 0
    assert sticks[20:22, 1:].all()
    assert sticks[4:11, 1:, 0].mean() < 0.1  # a hand of 4 is rare, and not settled yet
    result = rlkit.evaluate(agent, gym.make("Blackjack-v1"), 50_000, seed=2)
    assert abs(np.mean(result.returns) + 0.046556) < 0.02


def test_what_cannot_be_is_refused():
    for config, text in (
        ({"visit": "last"}, "visit is 'last'"),
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": 2.5}, "horizon is 2.5; it must be a whole number"),
        ({"alpha": 0.0}, "alpha is 0"),
        ({"epsilon": 1.5}, "epsilon is 1.5"),
    ):
        with pytest.raises(ValueError, match=text):
            rlkit.make("mc_epsilon_greedy", "GridWorld-v0", **config)

"""`evaluate`: known returns, lengths and endings, on any Gymnasium environment."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit


@pytest.fixture(scope="module")
def cliff():
    agent = rlkit.make("policy_iteration", "CliffWalking-v1", gamma=1.0)
    rlkit.fit(agent)
    return agent


def test_a_deterministic_world_returns_its_value(cliff):
    found = rlkit.evaluate(cliff, "CliffWalking-v1", episodes=3)
    assert found[:6] == (-13.0, 0.0, 0.0, 13.0, 3, 0)
    np.testing.assert_array_equal(found.returns, [-13.0] * 3)
    np.testing.assert_array_equal(found.lengths, [13] * 3)


def test_the_discount_counts(cliff):
    found = rlkit.evaluate(cliff, "CliffWalking-v1", episodes=1, gamma=0.5)
    assert found.mean == pytest.approx(-(1 - 0.5**13) / (1 - 0.5))
    assert np.isnan(found.std)
    assert np.isnan(found.standard_error)


def test_a_slippery_world_returns_its_value_within_the_error():
    env = gym.make("FrozenLake-v1", max_episode_steps=5000)
    agent = rlkit.make("value_iteration", env, gamma=0.99)
    rlkit.fit(agent)
    found = rlkit.evaluate(agent, env, episodes=1000, seed=1, gamma=0.99)
    assert found.terminated == 1000
    assert found.standard_error == pytest.approx(found.returns.std(ddof=1) / np.sqrt(1000))
    assert abs(found.mean - 0.542026) < 3 * found.standard_error


def test_truncation_is_no_termination():
    env = gym.make("GridWorld-v0", max_episode_steps=7)
    agent = rlkit.make("policy_iteration", env)
    rlkit.fit(agent)
    found = rlkit.evaluate(agent, env, episodes=4)
    assert (found.terminated, found.truncated, found.mean_length) == (0, 4, 7.0)


def test_an_endless_world_is_cut():
    agent = rlkit.make("policy_iteration", "GridWorld-v0")
    rlkit.fit(agent)
    found = rlkit.evaluate(agent, "GridWorld-v0", episodes=2, max_steps=30)
    assert (found.terminated, found.truncated, found.mean_length) == (0, 2, 30.0)


def test_the_same_seed_gives_the_same_numbers():
    agent = rlkit.make("value_iteration", "FrozenLake-v1")
    rlkit.fit(agent)
    first, second, other = (rlkit.evaluate(agent, "FrozenLake-v1", 20, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.lengths, second.lengths)
    assert not np.array_equal(first.lengths, other.lengths)


class Pusher:
    """Pushes the cart to the side to which the pole leans."""

    config = None

    def act(self, obs, *, explore=False):  # noqa: ARG002 - the protocol's signature
        return int(obs[2] > 0)


def test_any_agent_on_any_environment():
    found = rlkit.evaluate(Pusher(), "CartPole-v1", episodes=5)
    np.testing.assert_array_equal(found.returns, found.lengths)
    assert found.terminated == 5


def test_what_makes_no_sense_is_named(cliff):
    with pytest.raises(ValueError, match="episodes is 0"):
        rlkit.evaluate(cliff, "CliffWalking-v1", 0)
    with pytest.raises(ValueError, match="max_steps is 0"):
        rlkit.evaluate(cliff, "CliffWalking-v1", max_steps=0)

"""The upper-confidence-bound bandit: its choices by hand, its twin among the TD agents, and the testbed of the book."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from tests import one_state


def test_it_tries_every_arm_first_and_then_the_highest_bound():
    agent = rlkit.make("ucb_bandit", gym.make("Bandit-v0", arms=4, noise=0.0), seed=3, confidence=1.5, report=1)
    list(agent.updates(4))
    memory = agent.memories[0]
    assert memory.visits.tolist() == [[1, 1, 1, 1]]
    np.testing.assert_allclose(agent.values[0], agent.setting.env.unwrapped.true_values, rtol=1e-15)
    for t in range(4, 200):
        n, q = memory.visits[0].copy(), agent.values[0]
        bound = q + 1.5 * np.sqrt(np.log(t) / n)  # t - 1 of (2.10) is t here, counting from 0
        list(agent.updates(1))
        assert np.flatnonzero(memory.visits[0] - n).tolist() == [bound.argmax()]


@pytest.mark.parametrize("alpha", ["1/n", 0.1])
@pytest.mark.parametrize("world", ["Bandit-v0", "OneState-v0"])
def test_it_is_q_learning_without_a_future(world, alpha):
    bandit = rlkit.make("ucb_bandit", world, alpha=alpha, seed=5)
    other = rlkit.make("q_learning", world, gamma=0.0, explore="ucb", alpha=alpha, seed=5)
    for agent in (bandit, other):
        list(agent.updates(2000))
    assert np.array_equal(bandit.values, other.values)


def test_gamma_plays_no_role():
    one, other = (rlkit.make("ucb_bandit", "OneState-v0", gamma=gamma, seed=2) for gamma in (0.0, 0.99))
    for agent in (one, other):
        list(agent.updates(500))
    assert np.array_equal(one.values, other.values)


def test_values_of_a_world_with_a_model_are_its_mean_rewards():
    agent = rlkit.make("ucb_bandit", "OneState-v0", confidence=20.0, seeds=30, report=3000)
    *_, last = agent.updates(3000)
    found = agent.values[:, 0]
    error = found.mean(axis=0) - [0.5, 1.2, 0.25]
    assert np.all(np.abs(error) <= 4 * found.std(axis=0, ddof=1) / np.sqrt(30) + 1e-12)
    assert agent.each["optimal"].mean() >= 0.9, last


def test_the_testbed_goes_as_in_the_book():
    # S&B figure 2.4: c = 2 earns about 1.5 a step at the end, and more than epsilon-greedy before.
    ucb = rlkit.make("ucb_bandit", "Bandit-v0", seeds=100, report=1000)
    greedy = rlkit.make("q_learning", "Bandit-v0", seeds=100, gamma=0.0, alpha="1/n", report=1000)
    earned = []
    for agent in (ucb, greedy):
        list(agent.updates(1000))
        earned.append(agent._places.total[:, 0] / 1000)
    ucb_mean, greedy_mean = np.mean(earned, axis=1)
    assert 1.3 < greedy_mean < ucb_mean < 1.54  # the best of ten arms is worth 1.54 on average


def test_a_model_alone_will_do():
    agent = rlkit.make("ucb_bandit", rlkit.from_P(one_state.OneState.P))
    list(agent.updates(2000))
    np.testing.assert_allclose(agent.values[0, 2], 0.25, rtol=1e-12)
    assert agent.policy.tolist() == [1]


def test_values_that_drift_are_followed_after_a_resume_as_before(tmp_path):
    env = {"arms": 5, "spread": 0.0, "drift": 0.1}
    whole, first, second = (rlkit.make("ucb_bandit", gym.make("Bandit-v0", **env), alpha=0.1, seed=8) for _ in range(3))
    list(whole.updates(700))
    list(first.updates(300))
    rlkit.load(second, rlkit.save(first, tmp_path / "agent.npz"))
    list(second.updates(400))
    assert np.array_equal(second.values, whole.values)
    bandits = [agent.setting.env.unwrapped for agent in (second, whole)]
    assert np.array_equal(bandits[0].true_values, bandits[1].true_values)
    assert np.abs(whole.values[0] - bandits[1].true_values).max() < 3.0


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="a bandit has one state, and this world has 25; take q_learning"):
        rlkit.make("ucb_bandit", "GridWorld-v0")
    with pytest.raises(ValueError, match="explore is 'softmax'"):
        rlkit.make("ucb_bandit", "Bandit-v0", explore="softmax")
    with pytest.raises(ValueError, match="alpha is 0"):
        rlkit.make("ucb_bandit", "Bandit-v0", alpha=0.0)

"""The gradient bandit: its textbook loop, the gradient that it follows on average, and the testbed of the book."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.agents import gradient_bandit
from tests import one_state  # noqa: F401 - registers OneState-v0
from tests.agents.plain import streams


def plain(env, *, steps, seed, alpha, baseline):
    """S&B section 2.8 with the same random numbers."""
    rng, env_seed = streams(seed)
    env.reset(seed=env_seed)
    h, rewards = np.zeros(env.action_space.n), []
    for _ in range(steps):
        pi = np.exp(h - h.max())
        pi /= pi.sum()
        a = min(int(np.searchsorted(np.cumsum(pi), rng.random(), side="right")), len(h) - 1)
        _, r, terminated, _, _ = env.step(a)
        mean = (np.mean(rewards) if rewards else r) if baseline else 0.0
        h += alpha * (r - mean) * (np.eye(len(h))[a] - pi)
        rewards.append(r)
        if terminated:
            rng.random()  # the agent has drawn an action for the step that does not come
            env.reset()
    return h


@pytest.mark.parametrize("baseline", [True, False])
@pytest.mark.parametrize("world", ["Bandit-v0", "OneState-v0"])
def test_it_does_what_the_textbook_says(world, baseline):
    wanted = plain(gym.make(world), steps=500, seed=4, alpha=0.1, baseline=baseline)
    agent = rlkit.make("gradient_bandit", world, seed=4, alpha=0.1, baseline=baseline)
    list(agent.updates(500))
    np.testing.assert_allclose(agent.values[0], wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_on_average_it_climbs_the_expected_reward_whatever_the_baseline(mean):
    # S&B section 2.8: E[Δh(b)] = α ∂/∂h(b) Σ_a π(a) q(a) = α π(b) (q(b) - Σ_a π(a) q(a)).
    agent = rlkit.make("gradient_bandit", "OneState-v0", alpha=0.3)
    memory = agent.memories[0]
    h, q = np.array([0.3, -0.2, 1.1]), np.array([2.0, -1.0, 0.5])
    pi = np.exp(h) / np.exp(h).sum()
    expected = np.zeros(3)
    for a in range(3):
        memory.table.q[0], memory.table.clock[0], memory.mean[0] = h, 10, mean
        gradient_bandit.learn(memory, 0, a, q[a], 0, False, False)
        expected += pi[a] * (memory.table.q[0] - h)
    np.testing.assert_allclose(expected, 0.3 * pi * (q - pi @ q), atol=1e-15)


def test_preferences_keep_their_sum():
    agent = rlkit.make("gradient_bandit", "Bandit-v0", initial=1.0)
    list(agent.updates(2000))
    assert agent.values.sum() == pytest.approx(10.0)


def test_the_baseline_makes_the_rewards_offset_indifferent():
    # S&B figure 2.5: with true values about 4, a missing baseline costs much.
    share = {}
    for baseline in (True, False):
        agent = rlkit.make("gradient_bandit", "Bandit-v0", seeds=60, alpha=0.4, baseline=baseline, report=1000)
        shifted = rlkit.make(
            "gradient_bandit", gym.make("Bandit-v0", mean=4.0), seeds=60, alpha=0.4, baseline=baseline, report=1000
        )
        for one in (agent, shifted):
            list(one.updates(1000))
        if baseline:
            np.testing.assert_allclose(agent.values, shifted.values, rtol=1e-6, atol=1e-6)
        best = np.array([stepper._base.true_values.argmax() for stepper in shifted._steppers])
        pulls = np.array([memory.table.visits[0, arm] for memory, arm in zip(shifted.memories, best, strict=True)])
        share[baseline] = pulls.mean() / 1000
    assert share[True] > 0.6
    assert share[True] > share[False] + 0.15


def test_acting_with_exploration_draws_from_the_softmax():
    agent = rlkit.make("gradient_bandit", "OneState-v0", alpha=0.1)
    list(agent.updates(200))
    h = agent.values[0]
    pi = np.exp(h - h.max())
    pi /= pi.sum()
    drawn = np.bincount(agent.act([0] * 4000, explore=True), minlength=3) / 4000
    assert np.all(np.abs(drawn - pi) < 4 * np.sqrt(pi * (1 - pi) / 4000) + 1e-3)
    assert agent.act(0) == h.argmax()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="a bandit has one state, and this world has 16; take sarsa or q_learning"):
        rlkit.make("gradient_bandit", "FrozenLake-v1")
    with pytest.raises(ValueError, match="explore is 'ucb'"):
        rlkit.make("gradient_bandit", "Bandit-v0", explore="ucb")
    with pytest.raises(ValueError, match="alpha is '1/n'"):
        rlkit.make("gradient_bandit", "Bandit-v0", alpha="1/n")
    with pytest.raises(ValueError, match="alpha is -1"):
        rlkit.make("gradient_bandit", "Bandit-v0", alpha=-1)
    list(rlkit.make("gradient_bandit", "Bandit-v0", alpha=4.0).updates(10))

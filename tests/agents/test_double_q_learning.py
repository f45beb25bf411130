"""Double Q-learning against the textbook's loop, hand-made numbers, the bias that it is there to avoid, and the truth."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.mdp import from_P
from tests.agents import plain, textbook


def textbook_q(env, *, steps, seed, gamma=0.9, alpha=0.1, epsilon=0.1):
    """S&B section 6.7."""
    q = np.zeros((2, env.observation_space.n, env.action_space.n))

    def act(s, rng):
        return plain.epsilon_greedy(0.5 * (q[0, s] + q[1, s]), epsilon, rng)

    def learn(s, a, r, s_next, terminated, _truncated, rng):
        one, other = (q[0], q[1]) if rng.random() < 0.5 else (q[1], q[0])
        target = r + gamma * (1.0 - terminated) * other[s_next, one[s_next].argmax()]
        one[s, a] += alpha * (target - one[s, a])
        return act(s_next, rng)

    textbook.play(env, act, learn, steps=steps, seed=seed)
    return q


@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_it_does_what_the_textbook_says_to_the_last_bit(world):
    env = gym.make(world, max_episode_steps=60)
    wanted = textbook_q(env, steps=6000, seed=16)
    agent = rlkit.make("double_q_learning", env, alpha=0.1, seed=16)
    list(agent.updates(6000))
    assert np.array_equal(agent.memories[0].pair, wanted)
    assert np.array_equal(agent.values, 0.5 * (wanted[0] + wanted[1]))
    assert np.any(wanted != 0.0)


def test_each_table_takes_the_mean_of_its_own_targets():
    coin = from_P([[[(0.5, 0, 1.0, True), (0.5, 0, 3.0, True)]]])
    agent = rlkit.make("double_q_learning", coin, alpha="1/n", report=1)
    sums, counts = np.zeros(2), np.zeros(2, int)
    for _ in agent.updates(50):
        memory = agent.memories[0]
        learned = int(np.flatnonzero(memory.updates[:, 0, 0] != counts)[0])
        sums[learned] += agent.returns[0][0]
        counts[learned] += 1
        np.testing.assert_allclose(memory.pair[:, 0, 0], sums / np.maximum(counts, 1), rtol=1e-13)
    assert counts.min() > 10
    assert memory.table.visits[0, 0] == 50


def test_the_bias_of_figure_6_5_is_that_of_q_learning():
    # State 0: even actions end, odd ones lead to state 1, where all ten pay -0.1 ± 1 and end. Odd is a mistake.
    left, right = [(1.0, 1, 0.0, False)], [(1.0, 0, 0.0, True)]
    noisy = [(0.5, 1, 0.9, True), (0.5, 1, -1.1, True)]
    world = from_P([[right, left] * 5, [noisy] * 10], [1.0, 0.0])
    share = {}
    for name in ("q_learning", "double_q_learning"):
        agent = rlkit.make(name, world, gamma=1.0, alpha=0.1, epsilon=0.1, seeds=200, report=1000)
        list(agent.updates(1000))
        lengths = np.array([found[:300] for found in agent.lengths])  # [200, 300]: 2 steps are a mistake
        share[name] = (lengths == 2).mean()
    assert share["double_q_learning"] < share["q_learning"] - 0.1, share


def test_acting_at_random_finds_the_optimal_values():
    agent = rlkit.make("double_q_learning", "GridWorld-v0", epsilon=1.0, alpha=0.1, seeds=4)
    list(agent.updates(600_000))
    best = rlkit.make("policy_iteration", "GridWorld-v0")
    list(best.updates(100))
    np.testing.assert_allclose(agent.values.max(axis=-1), np.tile(best.v, (4, 1)), atol=1e-9)


def test_defaults_find_an_optimal_policy_of_the_book():
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("double_q_learning", env, seeds=20, report=4_000_000)
    *_, last = agent.updates(4_000_000)
    assert agent.each["optimal"].sum() >= 19, last

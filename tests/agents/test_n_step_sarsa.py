"""n-step Sarsa against the textbook's loop, hand-made numbers, its two ends Sarsa and Monte Carlo, and the book's world."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from tests.agents import plain, textbook
from tests.probes import reward_chain


def textbook_q(env, n, *, steps, seed, gamma=0.9, alpha=0.1, epsilon=0.1):
    q, notes = np.zeros((env.observation_space.n, env.action_space.n)), textbook.Steps(n)

    def begin(s, rng):
        a = plain.epsilon_greedy(q[s], epsilon, rng)
        notes.begin(s, a)
        return a

    def learn(_s, _a, r, s_next, terminated, truncated, rng):
        a_next = plain.epsilon_greedy(q[s_next], epsilon, rng)
        for tau in notes.step(r, s_next, a_next, terminated or truncated):
            pair = notes.S[tau], notes.A[tau]
            target = notes.n_step(tau, gamma, 0.0 if terminated else q[s_next, a_next])
            q[pair] += alpha * (target - q[pair])
        return a_next

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    return q


@pytest.mark.parametrize("n", [2, 7, 100])
@pytest.mark.parametrize("world", ["GridWorld-v0", "CliffWalking-v1"])
def test_it_does_what_the_textbook_says(world, n):
    env = gym.make(world, max_episode_steps=25)
    wanted = textbook_q(env, n, steps=3000, seed=3)
    agent = rlkit.make("n_step_sarsa", env, n=n, alpha=0.1, seed=3)
    list(agent.updates(3000))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-11, atol=1e-11)
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize("alpha", [0.1, "1/n^0.7"])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_one_step_is_sarsa_to_the_last_bit(world, alpha):
    env = gym.make(world, max_episode_steps=30)
    one = rlkit.make("n_step_sarsa", env, alpha=alpha, n=1)
    other = rlkit.make("sarsa", env, alpha=alpha)
    for agent in (one, other):
        list(agent.updates(5000))
    assert np.array_equal(one.values, other.values)
    assert np.any(one.values != 0.0)


def test_as_many_steps_as_an_episode_has_are_monte_carlo_control():
    env = gym.make("FrozenLake-v1", max_episode_steps=3000, is_slippery=True)
    q, counts, episode = np.full((16, 4), 0.5), np.zeros((16, 4)), []

    def act(s, rng):
        return plain.epsilon_greedy(q[s], 0.3, rng)

    def learn(s, a, r, s_next, terminated, truncated, rng):
        assert not truncated
        episode.append((s, a, r))
        a_next = act(s_next, rng)
        if terminated:
            g = 0.0
            for *pair, reward in reversed(episode):
                g = reward + 0.9 * g
                counts[tuple(pair)] += 1
                q[tuple(pair)] += (g - q[tuple(pair)]) / counts[tuple(pair)]
            episode.clear()
        return a_next

    textbook.play(env, act, learn, steps=8000, seed=4)
    agent = rlkit.make("n_step_sarsa", env, n=3000, alpha="1/n", epsilon=0.3, initial=0.5, seed=4)
    list(agent.updates(8000))
    np.testing.assert_allclose(agent.values, q, rtol=1e-9, atol=1e-12)


def test_numbers_by_hand():
    chain = reward_chain([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [1.0, 2.0, 4.0], [1, 0, 0])
    agent = rlkit.make("n_step_sarsa", chain, n=2, gamma=0.5, alpha=0.5)
    list(agent.updates(3))
    assert agent.values[:, 0].tolist() == [1.0, 2.0, 2.0]
    list(agent.updates(3))
    assert agent.values[:, 0].tolist() == [1.75, 3.0, 3.0]


def test_defaults_find_an_optimal_policy_of_the_book():
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("n_step_sarsa", env, seeds=20, report=4_000_000)
    *_, last = agent.updates(4_000_000)
    assert agent.each["optimal"].sum() >= 19, last


def test_no_step_at_all_is_refused():
    with pytest.raises(ValueError, match="n is 0; it must be at least 1"):
        rlkit.make("n_step_sarsa", "GridWorld-v0", n=0)

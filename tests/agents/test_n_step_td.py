"""n-step TD against the textbook's loop, hand-made numbers, its two ends TD(0) and Monte Carlo, and the exact values."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from tests.agents import textbook
from tests.probes import random_walk, reward_chain


def textbook_v(env, n, *, steps, seed, gamma, alpha):
    v, notes = np.zeros(env.observation_space.n), textbook.Steps(n)

    def begin(s, rng):
        notes.begin(s, None)
        return textbook.draw_uniform(env.action_space.n, rng)

    def learn(_s, _a, r, s_next, terminated, truncated, rng):
        for tau in notes.step(r, s_next, None, terminated or truncated):
            target = notes.n_step(tau, gamma, 0.0 if terminated else v[s_next])
            v[notes.S[tau]] += alpha * (target - v[notes.S[tau]])
        return textbook.draw_uniform(env.action_space.n, rng)

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    return v


@pytest.mark.parametrize("n", [2, 7])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1"])
def test_it_does_what_the_textbook_says(world, n):
    env = gym.make(world, max_episode_steps=25)
    wanted = textbook_v(env, n, steps=4000, seed=3, gamma=0.95, alpha=0.2)
    agent = rlkit.make("n_step_td", env, n=n, gamma=0.95, alpha=0.2, seed=3)
    list(agent.updates(4000))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-12, atol=1e-12)
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize("alpha", [0.1, "1/n", "1/(k+3)"])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_one_step_is_td0_to_the_last_bit(world, alpha):
    env = gym.make(world, max_episode_steps=30)
    one, other = (rlkit.make(name, env, alpha=alpha, **n) for name, n in (("n_step_td", {"n": 1}), ("td0", {})))
    for agent in (one, other):
        list(agent.updates(5000))
    assert np.array_equal(one.values, other.values)
    assert np.any(one.values != 0.0)


def test_as_many_steps_as_an_episode_has_are_monte_carlo():
    env = gym.make("FrozenLake-v1", max_episode_steps=2000)
    returns = [[] for _ in range(16)]
    episode = []

    def learn(s, _a, r, _s_next, terminated, truncated, rng):
        assert not truncated
        episode.append((s, r))
        if terminated:
            g = 0.0
            for state, reward in reversed(episode):
                g = reward + 0.9 * g
                returns[state].append(g)
            episode.clear()
        return textbook.draw_uniform(4, rng)

    textbook.play(env, lambda _s, rng: textbook.draw_uniform(4, rng), learn, steps=5000, seed=2)
    for s, _ in episode:  # the last episode is not over, and its updates are still to come
        assert returns[s]
    agent = rlkit.make("n_step_td", env, n=2000, alpha="1/n", seed=2)
    list(agent.updates(5000))
    np.testing.assert_allclose(agent.values, [np.mean(g) if g else 0.0 for g in returns], rtol=1e-12, atol=1e-14)


def test_numbers_by_hand():
    chain = reward_chain([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [1.0, 2.0, 4.0], [1, 0, 0])
    agent = rlkit.make("n_step_td", chain, n=2, gamma=0.5, alpha=0.5)
    list(agent.updates(1))
    assert agent.values.tolist() == [0.0, 0.0, 0.0]
    list(agent.updates(1))
    assert agent.values.tolist() == [1.0, 0.0, 0.0]  # half of 1 + 2/2 + 0/4
    list(agent.updates(1))
    assert agent.values.tolist() == [1.0, 2.0, 2.0]  # half of 2 + 4/2, half of 4
    list(agent.updates(3))
    assert agent.values.tolist() == [1.75, 3.0, 3.0]  # 1 + (1 + 2/2 + 2/4 - 1)/2


@pytest.mark.parametrize("n", [1, 4, 20])
def test_it_reaches_the_value_of_its_policy(n):
    walk = random_walk()
    agent = rlkit.make("n_step_td", walk, n=n, gamma=1.0, alpha="1/n^0.65", seeds=20)
    *_, last = agent.updates(100_000)
    error = agent.values.mean(axis=0) - exact.value(walk, np.full((5, 2), 0.5), 1.0)
    assert np.all(np.abs(error) <= 4 * agent.values.std(axis=0, ddof=1) / np.sqrt(20) + 0.001)
    assert last.scalars["rmse"] < 0.04


def test_no_step_at_all_is_refused():
    with pytest.raises(ValueError, match="n is 0; it must be at least 1"):
        rlkit.make("n_step_td", "GridWorld-v0", n=0)

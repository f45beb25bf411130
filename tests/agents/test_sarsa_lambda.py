"""Sarsa(λ) against the textbook's loops, the forward view, hand-made numbers, Sarsa, and the book's world."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.mdp import from_P
from rlkit.tabular import traces
from rlkit.tabular.drive import ELAPSED, EPISODES
from tests.agents import plain, textbook

WORLDS = ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"]
KINDS = ["accumulating", "replacing", "clearing", "dutch"]


def textbook_q(env, kind, lam, *, steps, seed, gamma=0.9, alpha=0.1, epsilon=0.1):
    """S&B sections 12.7 and 12.5 with one-hot features of the pairs."""
    shape = env.observation_space.n, env.action_space.n
    q, z, old = np.zeros(shape), np.zeros(shape), [0.0]

    def begin(s, rng):
        z[:], old[0] = 0.0, 0.0
        return plain.epsilon_greedy(q[s], epsilon, rng)

    def learn(s, a, r, s_next, terminated, _truncated, rng):
        a_next = plain.epsilon_greedy(q[s_next], epsilon, rng)
        q_sa, q_next = q[s, a], 0.0 if terminated else q[s_next, a_next]
        delta = r + gamma * q_next - q_sa
        z[:] *= gamma * lam
        if kind == "dutch":
            z[s, a] += 1 - alpha * z[s, a]
            q[:] += alpha * (delta + q_sa - old[0]) * z
            q[s, a] -= alpha * (q_sa - old[0])
            old[0] = q_next
            return a_next
        if kind == "clearing":
            z[s] = 0.0
        z[s, a] = z[s, a] + 1 if kind == "accumulating" else 1.0
        q[:] += alpha * delta * z
        return a_next

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    return q


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world", WORLDS)
def test_it_does_what_the_textbook_says(world, kind):
    env = gym.make(world, max_episode_steps=60)
    wanted = textbook_q(env, kind, 0.8, steps=1500, seed=5)
    agent = rlkit.make("sarsa_lambda", env, lam=0.8, traces=kind, alpha=0.1, seed=5)
    list(agent.updates(1500))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-10, atol=1e-11)
    assert world == "FrozenLake-v1" or np.any(wanted != 0.0)


@pytest.mark.parametrize("alpha", [0.1, 1.0, "1/n^0.7"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world", WORLDS)
def test_lambda_0_is_sarsa_to_the_last_bit(world, kind, alpha):
    env = gym.make(world, max_episode_steps=30)
    one = rlkit.make("sarsa_lambda", env, lam=0.0, traces=kind, alpha=alpha)
    other = rlkit.make("sarsa", env, alpha=alpha)
    for agent in (one, other):
        list(agent.updates(5000))
    assert np.array_equal(one.values, other.values)
    assert np.any(one.values != 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_sweeping_all_values_or_those_with_a_trace_is_the_same_to_the_last_bit(kind, monkeypatch):
    found = []
    for dense in (0, 10**6):
        monkeypatch.setattr(traces, "DENSE", dense)
        agent = rlkit.make("sarsa_lambda", "GridWorld-v0", traces=kind, lam=0.6, epsilon=0.5)
        list(agent.updates(20_000))
        found.append((agent.values, agent.memories[0].traces))
    (values, active), (others, swept) = found
    assert np.array_equal(values, others)
    assert np.array_equal(active.e, swept.e)
    count = active.used[0]
    assert sorted(active.active[:count]) == np.flatnonzero(active.e).tolist()


def test_numbers_by_hand():
    # Action 0 pays 1 and stays, action 1 pays 2 and ends. After 0 then 1: q(0) = 1/2, then δ = 2 moves what has a trace.
    world = from_P([[[(1.0, 0, 1.0, False)], [(1.0, 0, 2.0, True)]]])
    for kind in KINDS:
        found = set()
        for seed in range(30):
            agent = rlkit.make(
                "sarsa_lambda", world, traces=kind, lam=1.0, gamma=1.0, alpha=0.5, epsilon=1.0, seed=seed
            )
            list(agent.updates(2))
            if agent._places.now[0, [ELAPSED, EPISODES]].tolist() == [2, 1]:
                found.add(tuple(agent.values[0].tolist()))
        assert found == {(0.5 if kind == "clearing" else 1.5, 1.0)}, kind


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_find_an_optimal_policy_of_the_book(kind):
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("sarsa_lambda", env, traces=kind, seeds=20, report=4_000_000)
    *_, last = agent.updates(4_000_000)
    assert agent.each["optimal"].sum() >= 19, last


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"lam is -0.1; it must lie between 0 and 1"):
        rlkit.make("sarsa_lambda", "GridWorld-v0", lam=-0.1)
    with pytest.raises(
        ValueError, match="traces is 'short'; choose one of 'accumulating', 'replacing', 'clearing', 'dutch'"
    ):
        rlkit.make("sarsa_lambda", "GridWorld-v0", traces="short")

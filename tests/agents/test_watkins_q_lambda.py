"""Watkins's Q(λ) against the textbook's loop, hand-made numbers, Q-learning, and the book's world."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.mdp import from_P
from rlkit.tabular import traces
from tests.agents import plain, textbook

WORLDS = ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"]
KINDS = ["accumulating", "replacing", "clearing"]


def textbook_q(env, kind, lam, *, steps, seed, gamma=0.9, alpha=0.1, epsilon=0.1):
    shape = env.observation_space.n, env.action_space.n
    q, z, cuts = np.zeros(shape), np.zeros(shape), [0]

    def begin(s, rng):
        z[:] = 0.0
        return plain.epsilon_greedy(q[s], epsilon, rng)

    def learn(s, a, r, s_next, terminated, _truncated, rng):
        delta = r + gamma * (0.0 if terminated else q[s_next].max()) - q[s, a]
        if kind == "clearing":
            z[s] = 0.0
        z[s, a] = z[s, a] + 1 if kind == "accumulating" else 1.0
        q[:] += delta * (alpha * z)
        a_next = plain.epsilon_greedy(q[s_next], epsilon, rng)
        explores = q[s_next, a_next] != q[s_next].max()
        z[:] *= 0.0 if explores else gamma * lam
        cuts[0] += explores
        return a_next

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    assert cuts[0] > 30
    return q


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world", WORLDS)
def test_it_does_what_the_textbook_says(world, kind):
    env = gym.make(world, max_episode_steps=60)
    wanted = textbook_q(env, kind, 0.8, steps=2500, seed=16)
    agent = rlkit.make("watkins_q_lambda", env, lam=0.8, traces=kind, alpha=0.1, seed=16)
    list(agent.updates(2500))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-10, atol=1e-11)
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize("alpha", [0.1, "1/n^0.7"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("world", WORLDS)
def test_lambda_0_is_q_learning_to_the_last_bit(world, kind, alpha):
    env = gym.make(world, max_episode_steps=30)
    one = rlkit.make("watkins_q_lambda", env, lam=0.0, traces=kind, alpha=alpha)
    other = rlkit.make("q_learning", env, alpha=alpha, epsilon=one.config.epsilon)
    for agent in (one, other):
        list(agent.updates(5000))
    assert np.array_equal(one.values, other.values)
    assert np.any(one.values != 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_sweeping_all_values_or_those_with_a_trace_is_the_same_to_the_last_bit(kind, monkeypatch):
    found = []
    for dense in (0, 10**6):
        monkeypatch.setattr(traces, "DENSE", dense)
        agent = rlkit.make("watkins_q_lambda", "GridWorld-v0", traces=kind, epsilon=0.3)
        list(agent.updates(20_000))
        found.append(agent.values)
    assert np.array_equal(*found)


def test_a_tie_does_not_cut_and_an_exploring_action_does():
    # State 0 leads to 1 with no reward; there action 0 ends with 4, and action 1 with `other`. γ = λ = 1, α = 1/2.
    def world(other):
        return from_P([[[(1.0, 1, 0.0, False)]] * 2, [[(1.0, 1, 4.0, True)], [(1.0, 1, other, True)]]], [1.0, 0.0])

    for seed in range(10):
        agent = rlkit.make("watkins_q_lambda", world(4.0), lam=1.0, gamma=1.0, alpha=0.5, epsilon=1.0, seed=seed)
        list(agent.updates(2))  # all values are 0, so that every action ties: the trace of state 0 lasts
        assert agent.values.max(axis=1).tolist() == [2.0, 2.0]
        before = agent.values
        list(agent.updates(1))
        first = int(np.argmax(agent.memories[0].table.visits[0] - (before[0] != 0.0)))
        second = int(agent._places.now[0, 1])
        middle = agent.values
        assert middle[0, first] == before[0, first] + 0.5 * (2.0 - before[0, first])  # towards max q(1, ·) = 2
        list(agent.updates(1))
        delta = 4.0 - before[1, second]
        greedy = before[1, second] == 2.0
        assert agent.values[1, second] == before[1, second] + 0.5 * delta
        assert agent.values[0, first] == middle[0, first] + (0.5 * delta if greedy else 0.0)


def test_acting_at_random_finds_the_optimal_values():
    agent = rlkit.make("watkins_q_lambda", "GridWorld-v0", epsilon=1.0, alpha=0.1, seeds=4)
    list(agent.updates(300_000))
    best = rlkit.make("policy_iteration", "GridWorld-v0")
    list(best.updates(100))
    np.testing.assert_allclose(agent.values.max(axis=-1), np.tile(best.v, (4, 1)), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_find_an_optimal_policy_of_the_book(kind):
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("watkins_q_lambda", env, traces=kind, seeds=20, report=2_000_000)
    *_, last = agent.updates(2_000_000)
    assert agent.each["optimal"].sum() >= 19, last
    endless = rlkit.make("watkins_q_lambda", "GridWorld-v0", traces=kind, epsilon=0.5, seeds=20, report=1_000_000)
    *_, last = endless.updates(1_000_000)
    assert endless.each["optimal"].sum() >= 19, last


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"lam is nan|lam is NaN"):
        rlkit.make("watkins_q_lambda", "GridWorld-v0", lam=float("nan"))
    with pytest.raises(ValueError, match="traces is 'dutch'; choose one of 'accumulating', 'replacing', 'clearing'"):
        rlkit.make("watkins_q_lambda", "GridWorld-v0", traces="dutch")

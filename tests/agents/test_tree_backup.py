"""Tree backup against S&B's recursion, hand-made numbers, its one-step ends expected Sarsa and Q-learning, and the truth."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.mdp import from_P
from tests.agents import plain, textbook


def policy(q, epsilon):
    """The epsilon-greedy distribution over one state's actions, ties sharing."""
    best = q == q.max()
    return epsilon / len(q) + (1 - epsilon) * best / best.sum()


def textbook_q(env, n, *, steps, seed, target, gamma=0.9, alpha=0.1, epsilon=0.1):
    q, notes = np.zeros((env.observation_space.n, env.action_space.n)), textbook.Steps(n)
    level = epsilon if target == "acting" else 0.0

    def g(t, terminated):
        """G_{t:h} by S&B (7.15) and (7.16), the sum over the actions not taken written out."""
        s, h = notes.S[t + 1], len(notes.R) - 1
        pi = policy(q[s], level)
        if t + 1 == h:
            return notes.R[h] + (0.0 if terminated else gamma * float(pi @ q[s]))
        a = notes.A[t + 1]
        others = sum(pi[b] * q[s, b] for b in range(len(pi)) if b != a)
        return notes.R[t + 1] + gamma * others + gamma * pi[a] * g(t + 1, terminated)

    def begin(s, rng):
        a = plain.epsilon_greedy(q[s], epsilon, rng)
        notes.begin(s, a)
        return a

    def learn(_s, _a, r, s_next, terminated, truncated, rng):
        for tau in notes.step(r, s_next, None, terminated or truncated):
            pair = notes.S[tau], notes.A[tau]
            q[pair] += alpha * (g(tau, terminated) - q[pair])
        notes.A[-1] = plain.epsilon_greedy(q[s_next], epsilon, rng)
        return notes.A[-1]

    textbook.play(env, begin, learn, steps=steps, seed=seed)
    return q


@pytest.mark.parametrize("target", ["acting", "greedy"])
@pytest.mark.parametrize("n", [2, 6])
@pytest.mark.parametrize("world", ["GridWorld-v0", "CliffWalking-v1"])
def test_it_does_what_the_textbook_says(world, n, target):
    # With short runs only: values that are equal but for rounding are ties to one and not to the other.
    env = gym.make(world, max_episode_steps=25)
    wanted = textbook_q(env, n, steps=600, seed=3, target=target)
    agent = rlkit.make("tree_backup", env, n=n, target=target, alpha=0.1, seed=3)
    list(agent.updates(600))
    np.testing.assert_allclose(agent.values, wanted, rtol=1e-11, atol=1e-12)
    assert np.any(wanted != 0.0)


@pytest.mark.parametrize(("target", "twin"), [("acting", "expected_sarsa"), ("greedy", "q_learning")])
@pytest.mark.parametrize("explore", ["epsilon-greedy", "softmax", "ucb"])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_one_step_is_its_one_step_twin_to_the_last_bit(world, explore, target, twin):
    env = gym.make(world, max_episode_steps=30)
    one = rlkit.make("tree_backup", env, n=1, target=target, explore=explore)
    other = rlkit.make(twin, env, explore=explore, alpha=one.config.alpha, epsilon=one.config.epsilon)
    for agent in (one, other):
        list(agent.updates(5000))
    assert np.array_equal(one.values, other.values)
    assert np.any(one.values != 0.0)


def test_numbers_by_hand():
    # Two actions in a row, whatever is done: rewards 1 and 2 for action 0, 3 and 4 for action 1; then it is over.
    first = [[(1.0, 1, 1.0, False)], [(1.0, 1, 3.0, False)]]
    second = [[(1.0, 1, 2.0, True)], [(1.0, 1, 4.0, True)]]
    world = from_P([first, second], [1.0, 0.0])
    for seed in range(8):
        agent = rlkit.make("tree_backup", world, n=2, gamma=0.5, alpha=0.5, epsilon=0.5, seed=seed, initial=1.0)
        list(agent.updates(2))
        a0, a1 = np.argmax(agent.memories[0].table.visits, axis=1)
        # Ties: both actions have probability 1/2 in state 1. The oldest is updated first, with q = 1 in state 1.
        r0, r1 = (1.0, 3.0)[a0], (2.0, 4.0)[a1]
        wanted = np.ones((2, 2))
        wanted[0, a0] += 0.5 * (r0 + 0.5 * (0.5 * 1.0 + 0.5 * r1) - 1.0)
        wanted[1, a1] += 0.5 * (r1 - 1.0)
        np.testing.assert_allclose(agent.values, wanted, rtol=0, atol=1e-15)


@pytest.mark.parametrize("target", ["acting", "greedy"])
def test_defaults_find_an_optimal_policy_of_the_book(target):
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("tree_backup", env, target=target, seeds=20, report=2_000_000)
    *_, last = agent.updates(2_000_000)
    assert agent.each["optimal"].sum() >= 19, last


def test_learning_about_the_greedy_policy_while_acting_at_random_finds_the_optimal_values():
    agent = rlkit.make("tree_backup", "GridWorld-v0", target="greedy", epsilon=1.0, alpha=0.1, seeds=4)
    list(agent.updates(300_000))
    best = rlkit.make("policy_iteration", "GridWorld-v0")
    list(best.updates(100))
    np.testing.assert_allclose(agent.values.max(axis=-1), np.tile(best.v, (4, 1)), atol=1e-9)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="n is 0; it must be at least 1"):
        rlkit.make("tree_backup", "GridWorld-v0", n=0)
    with pytest.raises(ValueError, match="target is 'best'; choose one of 'acting', 'greedy'"):
        rlkit.make("tree_backup", "GridWorld-v0", target="best")

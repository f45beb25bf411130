"""Q-learning, Sarsa, expected Sarsa and TD(0) against the textbook's loops, and against the truth."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from tests.agents import plain


def q_target(q, r, discount, s_next, a_next, epsilon):  # noqa: ARG001
    return r + discount * q[s_next].max()


def sarsa_target(q, r, discount, s_next, a_next, epsilon):  # noqa: ARG001
    return r + discount * q[s_next, a_next]


def expected_target(q, r, discount, s_next, a_next, epsilon):  # noqa: ARG001
    return r + discount * ((1 - epsilon) * q[s_next].max() + epsilon * q[s_next].mean())


RULES = {
    "q_learning": (q_target, False),
    "sarsa": (sarsa_target, True),
    "expected_sarsa": (expected_target, False),
}


@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1"])
@pytest.mark.parametrize("name", RULES)
def test_control_does_what_the_textbook_says(name, world):
    target, on_policy = RULES[name]
    env = gym.make(world, max_episode_steps=40)
    plain_q = plain.control(env, target, on_policy=on_policy, steps=4000, seed=11)
    agent = rlkit.make(name, env, seed=11, engine="compiled", alpha=0.1)
    list(agent.updates(4000))
    if name == "expected_sarsa":  # the mean is summed in another order
        np.testing.assert_allclose(agent.values, plain_q, rtol=1e-12, atol=1e-12)
    else:
        assert np.array_equal(agent.values, plain_q)
    assert np.any(plain_q != 0.0)


@pytest.mark.parametrize("name", RULES)
def test_defaults_find_an_optimal_policy_of_the_book(name):
    agent = rlkit.make(name, gym.make("GridWorld-v0", max_episode_steps=100), seeds=20, report=10_000_000)
    *_, last = agent.updates(10_000_000)
    assert agent.each["optimal"].sum() >= 19, last


def test_td0_reaches_the_value_of_its_policy():
    agent = rlkit.make("td0", "GridWorld-v0", alpha="1/n^0.7", seeds=20)
    *_, last = agent.updates(200_000)
    mdp = rlkit.from_env(agent.setting.env)
    v = exact.value(mdp, np.full((25, 5), 0.2), 0.9)
    found = agent.values
    error = found.mean(axis=0) - v
    assert np.all(np.abs(error) <= 4 * found.std(axis=0, ddof=1) / np.sqrt(20) + 0.02)
    assert last.scalars["rmse"] < 0.2


def test_the_greedy_value_is_the_exact_one():
    agent = rlkit.make("q_learning", "GridWorld-v0")
    *_, last = agent.updates(3000)
    mdp = rlkit.from_env(agent.setting.env)
    pi = exact.deterministic(mdp, agent.policy)
    assert last.scalars["value"] == pytest.approx(exact.objective(mdp, pi, 0.9), abs=1e-12)
    best = rlkit.make("policy_iteration", "GridWorld-v0")
    list(best.updates(100))
    start = np.diff(mdp.start_cdf, prepend=0.0)
    assert last.scalars["value"] + last.scalars["regret"] == pytest.approx(start @ best.v, abs=1e-10)

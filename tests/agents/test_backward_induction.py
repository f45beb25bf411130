"""Backward induction: a hand example, sweeps of value iteration, all policies tried, and acting by the clock."""

import itertools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import TimeAwareObservation

from rlkit.agents.backward_induction import Config, make
from rlkit.mdp import from_env, from_P
from tests.probes import book_2x2, book_5x5, dense, random_mdp


def solved(world, **config):
    agent = make(world, Config(**config), seed=0)
    assert len(list(agent.updates(10_000))) == agent.config.horizon
    assert agent.converged
    return agent


def patience():
    """Take 1 now and for ever, or wait a step to reach a state that pays 3 once and ends."""
    return from_P(
        [
            [[(1.0, 0, 1.0, False)], [(1.0, 1, 0.0, False)]],
            [[(1.0, 1, 3.0, True)], [(1.0, 1, 3.0, True)]],
        ]
    )


def test_what_is_best_depends_on_the_time():
    """With one step to go take 1; with two wait (3 > 2); with three take, then wait (4); and so on."""
    agent = solved(patience(), horizon=4, gamma=1.0)
    np.testing.assert_array_equal(agent.stage_values, [[5, 3], [4, 3], [3, 3], [1, 3], [0, 0]])
    np.testing.assert_array_equal(agent.stage_policies[:, 0], [0, 0, 1, 0])
    assert [agent.act({"obs": 0, "time": [t]}) for t in range(6)] == [0, 0, 1, 0, 0, 0]
    assert agent.act(0) == 0
    batch = {"obs": np.zeros(4, np.int64), "time": np.arange(4)[:, None]}
    np.testing.assert_array_equal(agent.act(batch), [0, 0, 1, 0])
    np.testing.assert_array_equal(agent.q(), [[5, 3], [3, 3]])
    np.testing.assert_array_equal(agent.optimal_actions(), [[True, False], [True, True]])


def test_sweeps_of_value_iteration_in_the_book():
    """Section 4.1: v1 = 0, 1, 1, 1 and v2 = .9, 1.9, 1.9, 1.9."""
    agent = make(book_2x2(), Config(horizon=2, gamma=0.9), seed=0)
    updates = agent.updates(2)
    next(updates)
    np.testing.assert_allclose(agent.v, [0, 1, 1, 1], atol=1e-15)
    next(updates)
    np.testing.assert_allclose(agent.v, [0.9, 1.9, 1.9, 1.9], atol=1e-15)


def test_equals_sweeps_of_value_iteration_from_zero():
    rng = np.random.default_rng(0)
    for i in range(100):
        mdp, gamma, horizon = random_mdp(rng), (0.0, 0.9, 0.9999, 1.0)[i % 4], int(rng.integers(1, 40))
        agent = solved(mdp, horizon=horizon, gamma=gamma)
        P, r, _, _ = dense(mdp)
        v = np.zeros(mdp.n_states)
        for t in reversed(range(horizon)):
            q = r + gamma * P @ v
            v = q.max(axis=1)
            assert np.abs(agent.stage_values[t] - v).max() <= 2 * agent.bound
            chosen = q[np.arange(mdp.n_states), agent.stage_policies[t]]
            assert np.abs(chosen - v).max() <= 4 * agent.bound
        assert agent.bound < 1e-10


def test_no_sequence_of_decision_rules_does_better():
    rng = np.random.default_rng(1)
    for _ in range(10):
        mdp = random_mdp(rng, max_states=3, max_actions=2)
        P, r, _, _ = dense(mdp)
        states = np.arange(mdp.n_states)
        rules = list(itertools.product(range(mdp.n_actions), repeat=mdp.n_states))
        best = np.full(mdp.n_states, -np.inf)
        for plan in itertools.product(rules, repeat=3):
            v = np.zeros(mdp.n_states)
            for rule in reversed(plan):
                v = r[states, rule] + 0.9 * P[states, rule] @ v
            best = np.maximum(best, v)
        np.testing.assert_allclose(solved(mdp, horizon=3, gamma=0.9).v, best, atol=1e-12)


def test_cliff_is_reached_in_thirteen_steps_and_not_in_twelve():
    env = gym.make("CliffWalking-v1")
    assert solved(env, horizon=13).v[36] == -13
    assert solved(env, horizon=12).v[36] == -12
    assert solved(env, horizon=50).v[36] == -13


def test_acting_by_the_clock_earns_what_was_promised():
    """FrozenLake's 20 steps, 3000 episodes: the mean return within 4 standard errors of the value."""
    env = TimeAwareObservation(gym.make("FrozenLake-v1", max_episode_steps=20), flatten=False)
    agent = solved(env.env, horizon=20, gamma=1.0)
    returns = []
    obs, _ = env.reset(seed=0)
    while len(returns) < 3000:
        obs, reward, terminated, truncated, _ = env.step(agent.act(obs))
        if terminated or truncated:
            returns.append(reward)
            obs, _ = env.reset()
    assert abs(np.mean(returns) - agent.v[0]) < 4 * np.std(returns) / np.sqrt(3000)


def test_gamma_1_is_right_on_a_world_without_end():
    np.testing.assert_array_equal(solved(book_2x2(), horizon=7, gamma=1.0).v, [6, 7, 7, 7])


def test_a_plan_saved_halfway_goes_on_as_if_never_stopped():
    whole = solved(book_5x5(), horizon=12, gamma=0.9)
    half = make(book_5x5(), Config(horizon=12, gamma=0.9), seed=0)
    assert [report.step for report in half.updates(5)] == [1, 2, 3, 4, 5]
    other = make(book_5x5(), Config(horizon=12, gamma=0.9), seed=0)
    other.load_state_dict(half.state_dict())
    assert [report.scalars["stage"] for report in other.updates(100)] == [6, 5, 4, 3, 2, 1, 0]
    np.testing.assert_array_equal(other.stage_values, whole.stage_values)
    np.testing.assert_array_equal(other.stage_policies, whole.stage_policies)
    with pytest.raises(ValueError, match=r"the saved stages have shape \(13, 25\)"):
        make(book_5x5(), Config(horizon=3), seed=0).load_state_dict(half.state_dict())


def test_bad_configurations():
    with pytest.raises(ValueError, match="horizon is 0"):
        make(book_2x2(), Config(horizon=0), seed=0)
    with pytest.raises(ValueError, match=r"gamma is -0\.5"):
        make(book_2x2(), Config(gamma=-0.5), seed=0)
    assert from_env(gym.make("CartPole-v1")) is None
    with pytest.raises(ValueError, match="CartPole-v1 has no model"):
        make(gym.make("CartPole-v1"), Config(), seed=0)

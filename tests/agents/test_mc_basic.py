"""MC Basic against truncated returns, policy iteration on them, and value iteration, exactly; and on a world of chance."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from tests.probes import book_2x2, book_5x5, dense, random_mdp, small_grid

GAMMA = 0.9


def sweeps(mdp, T, policy=None):
    """q after T sweeps from zero of value iteration or, given a policy [S], of its evaluation."""
    P, r, _, _ = dense(mdp)
    v, states = np.zeros(mdp.n_states), np.arange(mdp.n_states)
    for _ in range(T):
        q = r + GAMMA * P @ v
        v = q.max(axis=1) if policy is None else q[states, policy]
    return q


def improved(agent, times):
    """Run until the policy has been improved that often; on a continuing world each costs S * A * T steps."""
    memory = agent.memories[0]
    steps = memory.q.size * memory.length * memory.episodes
    list(agent.updates(times * steps))
    assert memory.now.tolist() == [0, 0, memory.length, times]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 30])
def test_each_evaluation_is_the_truncated_return_of_the_policy_before(length):
    mdp = book_5x5()
    agent = rlkit.make("mc_basic", mdp, length=length)
    policy = np.zeros(25, np.int64)
    for _ in range(6):
        agent_policy = agent.memories[0].policy
        assert np.array_equal(agent_policy, policy)
        list(agent.updates(125 * length))
        np.testing.assert_allclose(agent.values, sweeps(mdp, length, policy), rtol=0, atol=1e-12)
        policy = agent.values.argmax(axis=1)
        assert np.array_equal(agent.policy, policy)


@pytest.mark.parametrize("length", [*range(1, 16), 30, 100])
@pytest.mark.parametrize("mdp", [book_2x2(), book_5x5(r_forbidden=-10.0)], ids=["2x2", "5x5"])
def test_it_settles_where_as_many_sweeps_of_value_iteration_do(mdp, length):
    agent = rlkit.make("mc_basic", mdp, length=length)
    improved(agent, 30)
    np.testing.assert_allclose(agent.values, sweeps(mdp, length), rtol=0, atol=1e-12)


def test_it_stays_below_where_the_best_first_steps_depend_on_how_many_are_left():
    # With r_forbidden = -1 it pays to go through a forbidden cell or not, depending on the steps that are left; value
    # iteration counts them, and one policy for all of them cannot.
    mdp = book_5x5()
    agent = rlkit.make("mc_basic", mdp, length=3)
    improved(agent, 30)
    missing = sweeps(mdp, 3) - agent.values
    assert missing.min() >= -1e-12
    assert missing.max() == pytest.approx(0.81)
    agent = rlkit.make("mc_basic", mdp, length=30)
    improved(agent, 30)
    np.testing.assert_allclose(agent.values, sweeps(mdp, 30), rtol=0, atol=1e-12)


def test_the_length_decides_how_far_the_reward_is_felt():
    # Zhao figure 5.4: with one step only the target and its neighbours have a value, with T those T steps away.
    mdp = book_5x5(r_forbidden=-10.0)
    felt = []
    for length in (1, 2, 3, 4, 14, 15, 30, 100):
        agent = rlkit.make("mc_basic", mdp, length=length)
        improved(agent, 30)
        felt.append(np.flatnonzero(agent.values.max(axis=1) > 0.0))
    assert felt[0].tolist() == [12, 16, 17, 18, 22]  # the target is state 17, and one may leave a forbidden cell
    assert [len(states) for states in felt] == sorted(len(states) for states in felt)
    assert len(felt[4]) < 25  # 14 steps are one too few for the state farthest away
    assert len(felt[5]) == len(felt[6]) == 25
    best = sweeps(mdp, 1000).max(axis=1)
    np.testing.assert_allclose(agent.values.max(axis=1), best, atol=10 * GAMMA**100)


def test_the_defaults_find_the_optimum_of_the_book():
    agent = rlkit.make("mc_basic", "GridWorld-v0", seeds=20, report=200_000)
    *_, last = agent.updates(200_000)
    assert agent.each["optimal"].sum() == 20, last


def test_means_of_many_episodes_come_near_the_expected_returns():
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, ends=0.0)
    reachable = np.unique(rlkit.make("mc_basic", mdp).memories[0].starts)
    runs = rlkit.make("mc_basic", mdp, length=8, episodes=50, seeds=40)
    list(runs.updates(len(reachable) * mdp.n_actions * 8 * 50))
    expected = sweeps(mdp, 8, np.zeros(mdp.n_states, np.int64))[reachable]
    found = runs.values[:, reachable]
    error = found.mean(axis=0) - expected
    assert np.all(np.abs(error) <= 5 * found.std(axis=0, ddof=1) / np.sqrt(40) + 1e-9)


def test_episodes_end_where_the_world_ends_them():
    agent = rlkit.make("mc_basic", small_grid(), gamma=1.0, length=50)
    list(agent.updates(20_000))
    assert agent.values[1:15].max(axis=1).tolist() == [-1, -2, -3, -1, -2, -3, -2, -2, -3, -2, -1, -3, -2, -1]


def test_bad_settings_and_worlds_without_a_model_are_refused():
    for field in ("length", "episodes"):
        for value in (0, 1.5):
            with pytest.raises(ValueError, match=f"{field} is {value}"):
                rlkit.make("mc_basic", "GridWorld-v0", **{field: value})
    with pytest.raises(ValueError, match="states no model"):
        rlkit.make("mc_basic", gym.make("Blackjack-v1"))

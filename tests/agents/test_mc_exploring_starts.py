"""Monte Carlo exploring starts against its textbook loop, and the optimum that it finds or gets stuck before."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.learning.truth import visitable
from tests.agents import monte_carlo


@pytest.mark.parametrize("visit", ["first", "every"])
@pytest.mark.parametrize("alpha", [0.1, "1/n"])
@pytest.mark.parametrize("world", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1"])
def test_it_does_what_the_textbook_says(world, alpha, visit):
    env = gym.make(world, max_episode_steps=40)
    starts = np.flatnonzero(visitable(rlkit.from_env(env)))
    step = (lambda n: 1 / n) if alpha == "1/n" else (lambda _: 0.1)
    plain = monte_carlo.control(env, steps=6000, seed=3, starts=starts, alpha=step, first=visit == "first", horizon=25)
    agent = rlkit.make("mc_exploring_starts", env, seed=3, engine="compiled", alpha=alpha, visit=visit, length=25)
    list(agent.updates(6000))
    assert np.array_equal(agent.values, plain)
    assert np.any(plain != 0.0)


def test_every_pair_that_can_be_visited_is_a_start_as_often_as_any_other():
    agent = rlkit.make("mc_exploring_starts", gym.make("FrozenLake-v1"), length=1)
    list(agent.updates(44_000))  # 11 states that are no hole and no goal, 4 actions
    visits = agent.memories[0].visits
    assert np.flatnonzero(visits.any(axis=1)).tolist() == [0, 1, 2, 3, 4, 6, 8, 9, 10, 13, 14]
    chosen = visits[visits.any(axis=1)]
    assert np.all(np.abs(chosen - 1000) < 5 * np.sqrt(1000))


@pytest.mark.parametrize("visit", ["first", "every"])
def test_the_defaults_find_the_optimum_of_the_book(visit):
    agent = rlkit.make("mc_exploring_starts", "GridWorld-v0", seeds=20, visit=visit, report=1_000_000)
    *_, last = agent.updates(1_000_000)
    assert agent.each["optimal"].sum() >= 19, last


def test_the_mean_of_all_returns_gets_stuck_behind_early_ones():
    agent = rlkit.make("mc_exploring_starts", "GridWorld-v0", seeds=20, alpha="1/n", report=1_000_000)
    *_, last = agent.updates(1_000_000)
    assert agent.each["optimal"].sum() < 10, last


def test_values_of_a_deterministic_world_become_exact():
    # What a cut episode lacks is taken from the estimate, so that even short ones lead to q*.
    agent = rlkit.make("mc_exploring_starts", "GridWorld-v0", length=10, seed=1)
    list(agent.updates(2_000_000))
    sweep = rlkit.make("value_iteration", "GridWorld-v0", tolerance=1e-12)
    list(sweep.updates(10_000))
    np.testing.assert_allclose(agent.values.max(axis=1), sweep.v, atol=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="visit is 'last'; choose one of 'first', 'every'"):
        rlkit.make("mc_exploring_starts", "GridWorld-v0", visit="last")
    with pytest.raises(ValueError, match="length is 0"):
        rlkit.make("mc_exploring_starts", "GridWorld-v0", length=0)
    with pytest.raises(ValueError, match="alpha is 2"):
        rlkit.make("mc_exploring_starts", "GridWorld-v0", alpha=2.0)
    with pytest.raises(ValueError, match=r"states no model.*take mc_epsilon_greedy"):
        rlkit.make("mc_exploring_starts", gym.make("Blackjack-v1"))

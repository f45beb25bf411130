"""Prioritized sweeping: less work than full sweeps, the same result on every run, resumed or not, on any graph."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit.agents import value_iteration
from rlkit.agents.prioritized_sweeping import Config, make
from rlkit.mdp import from_env, from_P
from tests.probes import book_2x2, book_5x5, random_mdp
from tests.reference import optimum


def maze(rows=60, cols=40, **arguments):
    return gym.make("GridWorld-v0", layout="random", rows=rows, cols=cols, actions=4, **arguments)


def solved(world, **config):
    agent = make(world, Config(**config))
    list(agent.updates(10_000))
    assert agent.converged
    return agent


@pytest.fixture
def threads_on_small_worlds(monkeypatch):
    monkeypatch.setattr("rlkit.agents.prioritized_sweeping._WORTH_THREADS", 500)


def test_it_sweeps_less_than_value_iteration():
    world = maze(slip=0.2, r_step=-0.01)
    agent = solved(world, gamma=0.99)
    sweeping = value_iteration.make(world, value_iteration.Config(gamma=0.99))
    list(sweeping.updates(10_000))
    assert np.abs(agent.v - sweeping.v).max() <= agent.bound + sweeping.bound
    assert agent.plan.work < sweeping.plan.work


@pytest.mark.usefixtures("threads_on_small_worlds")
@pytest.mark.parametrize("structure", [True, False])
def test_two_threads_give_the_same_result_run_after_run(structure):
    world = maze(slip=0.2, r_step=-0.01)
    first = solved(world, gamma=0.99, threads=2, structure=structure)
    for _ in range(5):
        again = solved(world, gamma=0.99, threads=2, structure=structure)
        np.testing.assert_array_equal(again.v, first.v)
        assert again.plan.work == first.plan.work
    alone = solved(world, gamma=0.99, structure=structure)
    assert np.abs(alone.v - first.v).max() <= alone.bound + first.bound


@pytest.mark.usefixtures("threads_on_small_worlds")
def test_graphs_without_locality():
    rng = np.random.default_rng(0)
    n = 800
    scattered = from_P(
        [[[(1.0, int(rng.integers(n)), float(rng.normal()), rng.random() < 0.1)] for _ in range(2)] for _ in range(n)]
    )
    best = optimum(scattered, 0.9)
    for threads in (1, 2):
        agent = solved(scattered, threads=threads)
        assert np.abs(agent.v - best.v).max() <= agent.bound + best.error


def test_a_resumed_run_reaches_the_same_fixed_point():
    world = maze(slip=0.2, r_step=-0.01)
    whole = solved(world, gamma=0.99, passes=3)
    first = make(world, Config(gamma=0.99, passes=3))
    list(first.updates(2))
    assert not first.converged
    second = make(world, Config(gamma=0.99, passes=3))
    second.load_state_dict(first.state_dict())
    list(second.updates(10_000))
    assert second.converged
    assert np.abs(second.v - whole.v).max() <= second.bound + whole.bound


def test_a_plan_spoiled_in_one_place_is_repaired():
    agent = solved(from_env(maze()), gamma=0.9)
    good = agent.v.copy()
    state = agent.state_dict()
    state["v"][777] += 5.0
    state["bound"] = np.inf
    agent.load_state_dict(state)
    list(agent.updates(1000))
    assert agent.converged
    assert np.abs(agent.v - good).max() <= 2e-6


def test_the_start_is_what_the_running_cost_amounts_to():
    agent = make(maze(r_step=-0.01, target="terminal"), Config(gamma=0.99))
    np.testing.assert_allclose(agent.v, -1.0)
    rng = np.random.default_rng(1)
    for _ in range(100):
        for gamma in (0.0, 0.9):
            assert np.isfinite(make(random_mdp(rng), Config(gamma=gamma)).v).all()
    for structure in (True, False):
        ends = from_P([[[(1.0, 0, 3.0, True)]], [[(1.0, 1, 2.0, True)]]])
        np.testing.assert_array_equal(make(ends, Config(structure=structure)).v, 0.0)


def test_what_floating_point_allows_is_enough():
    agent = make(book_5x5(), Config(gamma=0.9, tolerance=1e-300))
    list(agent.updates(1000))
    assert agent.converged
    best = optimum(book_5x5(), 0.9)
    assert np.abs(agent.v - best.v).max() <= agent.bound + best.error


@pytest.mark.parametrize("field", ["threads", "passes"])
def test_counts_below_one_are_refused(field):
    with pytest.raises(ValueError, match=f"{field} is 0; it must be at least 1"):
        make(book_2x2(), Config(**{field: 0}))

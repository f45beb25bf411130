"""Every fast path of planning next to its slow twin: whole plans in plain Python, rows beside stencils, rules beside arrays.

The kernels one by one stand in tests/tabular; here whole runs are compared.
"""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import envs
from rlkit import agents
from rlkit.mdp import MDP, from_env
from rlkit.rules import find_rules
from rlkit.tabular.model import Sparse, Stencil, sparse, stencil
from rlkit.tabular.problem import make_problem
from tests.probes import random_mdp
from tests.reference import plain_evaluate, plain_gauss_seidel, plain_greedy, plain_sweep


def on_rows(agent, mdp):
    """The same agent on sparse rows, where all kernels round alike."""
    agent.problem = replace(agent.problem, model=sparse(mdp, agent.problem.gamma))
    return agent


def small_worlds():
    rng = np.random.default_rng(0)
    yield from (random_mdp(rng) for _ in range(15))
    yield from_env(gym.make("GridWorld-v0"))
    yield from_env(gym.make("GridWorld-v0", layout="random", rows=4, cols=7, slip=0.3, forbidden="terminal"))


def orders(mdp, name, sweep, seed):
    if name == "random":
        return np.random.default_rng([seed, sweep]).permutation(mdp.n_states)
    return np.arange(mdp.n_states)


@pytest.mark.parametrize("order", ["jacobi", "gauss-seidel", "random"])
def test_value_iteration_equals_a_plain_loop_to_the_last_bit(order):
    for seed, mdp in enumerate(small_worlds()):
        agent = agents.make("value_iteration", mdp, seed=seed, order=order)
        model, v = agent.problem.model, np.zeros(mdp.n_states)
        for sweep, _ in enumerate(agent.updates(12)):
            v = (
                plain_sweep(model, v)
                if order == "jacobi"
                else plain_gauss_seidel(model, v, orders(mdp, order, sweep, seed))
            )
            np.testing.assert_array_equal(agent.v, v)


def test_truncated_policy_iteration_equals_a_plain_loop_to_the_last_bit():
    for mdp in small_worlds():
        agent = agents.make("truncated_policy_iteration", mdp, evaluations=3)
        model, v = agent.problem.model, np.zeros(mdp.n_states)
        for _ in agent.updates(8):
            policy = plain_greedy(model, v)
            for _ in range(3):
                v = plain_evaluate(model, policy, v)
            np.testing.assert_array_equal(agent.v, v)


def test_one_evaluation_is_value_iteration_to_the_last_bit_on_rows():
    for mdp in small_worlds():
        one = on_rows(agents.make("truncated_policy_iteration", mdp, evaluations=1), mdp)
        sweeping = on_rows(agents.make("value_iteration", mdp), mdp)
        rounds = 0
        for mine, theirs in zip(one.updates(500), sweeping.updates(500), strict=True):
            np.testing.assert_array_equal(one.v, sweeping.v)
            assert (mine.scalars["bound"], mine.scalars["residual"]) == (
                theirs.scalars["bound"],
                theirs.scalars["residual"],
            )
            rounds += 1
        assert rounds > 1 or mdp.n_states == 1


def test_one_evaluation_is_value_iteration_to_rounding_on_stencils():
    met = 0
    for mdp in small_worlds():
        one = agents.make("truncated_policy_iteration", mdp, evaluations=1)
        sweeping = agents.make("value_iteration", mdp)
        met += isinstance(one.problem.model, Stencil)
        for _ in zip(one.updates(200), sweeping.updates(200), strict=False):
            np.testing.assert_allclose(one.v, sweeping.v, atol=1e-13)
    assert met > 5


@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.9999])
def test_rows_and_stencils_agree_to_rounding(gamma):
    rng = np.random.default_rng(1)
    met = 0
    for _ in range(150):
        mdp = random_mdp(rng)
        wide = stencil(mdp, gamma)
        if wide is None:
            continue
        met += 1
        v = rng.normal(size=mdp.n_states) * 100
        pair = [np.array(plain_sweep(model, v)) for model in (wide, sparse(mdp, gamma))]
        np.testing.assert_allclose(pair[0], pair[1], rtol=1e-13, atol=1e-12)
    assert met > 60


@pytest.mark.parametrize("name", sorted(envs.IDS))
def test_rules_transitions_and_toy_text_make_the_same_plan(name):
    env = gym.make(name)
    by_rules = agents.make("prioritized_sweeping", env, gamma=0.95)
    by_rows = agents.make("prioritized_sweeping", env, gamma=0.95, structure=False)
    by_arrays = agents.make("value_iteration", from_env(env), gamma=0.95)
    for agent in (by_rules, by_rows, by_arrays):
        list(agent.updates(5000))
        assert agent.converged
    for agent in (by_rows, by_arrays):
        assert np.abs(agent.v - by_rules.v).max() <= agent.bound + by_rules.bound


def test_found_rules_and_stated_rules_plan_alike():
    env = gym.make("GridWorld-Random-v0", rows=30, cols=40, slip=0.2, actions=4)
    stated, found = make_problem(env, 0.99), make_problem(from_env(env), 0.99)
    rows = make_problem(MDP(*from_env(env)), 0.99, structure=False)
    assert isinstance(stated.model, Stencil)
    assert isinstance(found.model, Stencil)
    assert find_rules(from_env(env)) is not None
    assert len(found.model.table) == len(stated.model.table)
    v = np.random.default_rng(2).normal(size=1200)
    np.testing.assert_array_equal(found.q(v), stated.q(v))
    np.testing.assert_allclose(rows.q(v), stated.q(v), atol=1e-13)


def test_threads_and_rows_are_twins_of_one_thread_on_a_stencil(monkeypatch):
    monkeypatch.setattr("rlkit.agents.prioritized_sweeping._WORTH_THREADS", 500)
    env = gym.make("GridWorld-v0", layout="random", rows=70, cols=30, slip=0.2, actions=4, r_step=-0.01)
    plans = {}
    for structure in (True, False):
        for threads in (1, 2):
            agent = agents.make("prioritized_sweeping", env, gamma=0.99, structure=structure, threads=threads)
            list(agent.updates(1000))
            assert agent.converged
            plans[structure, threads] = agent
    for agent in plans.values():
        assert np.abs(agent.v - plans[True, 1].v).max() <= agent.bound + plans[True, 1].bound
    again = agents.make("prioritized_sweeping", env, gamma=0.99, threads=2)
    list(again.updates(1000))
    np.testing.assert_array_equal(again.v, plans[True, 2].v)
    assert isinstance(plans[True, 1].problem.model, Stencil)
    assert isinstance(plans[False, 1].problem.model, Stencil | Sparse)

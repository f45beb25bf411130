"""Policy iteration: every round is no worse in any state, and it always stops, however many actions are tied."""

from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit import agents as planners
from rlkit import exact
from rlkit.agents.policy_iteration import Config, make
from rlkit.mdp import from_arrays, from_env, from_P
from rlkit.tabular.linear import ended_value
from tests.probes import book_5x5, dense, random_mdp
from tests.reference import optimum


def rounds(world, most=60, **config):
    """Run until the last policy is kept, past the proof, and return the agent and what its rounds found."""
    agent = make(world, Config(tolerance=1e-300, **config))
    found = []
    for _, scalars in zip(range(most), agent._loop(agent.problem, agent.config, agent.plan), strict=False):
        found.append((agent.plan.v.copy(), scalars))
    return agent, found


def doubled(mdp, rng):
    """Every action twice over, in a random order, and every state twice over: successors are split among the twins."""
    S, A = mdp.n_states, mdp.n_actions
    P = []
    for s in (*range(S), *range(S)):
        P.append([])
        for a in rng.permutation(2 * A) % A:
            part = range(mdp.indptr[s * A + a], mdp.indptr[s * A + a + 1])
            share = rng.random()
            P[-1].append(
                [
                    (mdp.prob[k] * w, int(mdp.next_state[k]) + shift, mdp.reward[k], bool(mdp.terminated[k]))
                    for k in part
                    for w, shift in ((share, 0), (1 - share, S))
                ]
            )
    return from_P(P)


def test_no_round_makes_any_state_worse():
    rng = np.random.default_rng(0)
    for mdp in (book_5x5(), *(random_mdp(rng) for _ in range(40))):
        _, found = rounds(mdp)
        for (v, _), (later, _) in pairwise(found):
            assert (later >= v - 1e-12).all()


def test_the_value_of_a_round_is_the_value_of_its_policy():
    rng = np.random.default_rng(1)
    for _ in range(20):
        mdp = random_mdp(rng)
        agent = make(mdp, Config())
        before = agent.plan.policy.copy()
        for _ in agent.updates(50):
            np.testing.assert_allclose(agent.v, exact.value(mdp, exact.deterministic(mdp, before), 0.9), atol=1e-11)
            before = agent.plan.policy.copy()


@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.9999, 0.999999])
def test_it_stops_when_every_action_and_state_has_a_twin(gamma):
    rng = np.random.default_rng(2)
    for _ in range(30):
        mdp = doubled(random_mdp(rng), rng)
        agent, found = rounds(mdp, gamma=gamma)
        assert len(found) < 30, f"still changing {found[-1][1]['changed']} states"
        assert found[-1][1]["changed"] == 0.0
        if gamma < 0.999999:
            best = optimum(mdp, gamma)
            assert np.abs(agent.v - best.v).max() <= agent.bound + best.error


@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.9999])
@pytest.mark.parametrize("slip", [0.0, 0.2, 1 / 3])
def test_it_stops_on_symmetric_grids(gamma, slip):
    lines = ["." * 21] * 21
    lines[10] = "." * 10 + "T" + "." * 10
    for target, r_step in (("terminal", -0.04), ("continuing", 0.0)):
        env = gym.make("GridWorld-v0", layout=lines, slip=slip, target=target, r_step=r_step, actions=8)
        _, found = rounds(from_env(env), most=100, gamma=gamma)
        assert len(found) < 60
        assert found[-1][1]["changed"] == 0.0
        v = found[-1][0].reshape(21, 21)
        np.testing.assert_allclose(v, v[::-1, ::-1], rtol=1e-9)


def test_it_stops_where_all_actions_are_the_same():
    n = 50
    flat = from_arrays(
        np.arange(0, n * 6 * 3 + 1, 3),
        np.random.default_rng(3).integers(n, size=n * 6 * 3),
        np.tile([0.2, 0.3, 0.5], n * 6),
        np.full(n * 6 * 3, 0.1),
        np.zeros(n * 6 * 3, np.bool_),
        n_actions=6,
    )
    for gamma in (0.9, 0.999, 0.999999):
        _, found = rounds(flat, gamma=gamma)
        assert len(found) <= 3
        np.testing.assert_allclose(found[-1][0], 0.1 / (1 - gamma), rtol=1e-9)


def test_at_gamma_1_it_starts_from_a_policy_that_ends_and_stays_with_such():
    agent = make(gym.make("FrozenLake-v1"), Config(gamma=1.0))
    assert (agent.plan.policy >= 0).all()
    list(agent.updates(50))
    assert agent.converged
    assert agent.v[0] == pytest.approx(14 / 17, abs=1e-12)
    cliff = make(gym.make("CliffWalking-v1"), Config(gamma=1.0))
    list(cliff.updates(100))
    assert cliff.v[36] == pytest.approx(-13, abs=1e-12)


def slippery(name, epsilon):
    """A world in which any action is carried out with probability epsilon, whichever was chosen."""
    mdp = from_env(gym.make(name))
    mix = (1.0 - epsilon) * np.eye(mdp.n_actions) + epsilon / mdp.n_actions
    table = [
        [
            [
                (mix[a, b] * mdp.prob[k], int(mdp.next_state[k]), mdp.reward[k], bool(mdp.terminated[k]))
                for b in range(mdp.n_actions)
                for k in range(mdp.indptr[s * mdp.n_actions + b], mdp.indptr[s * mdp.n_actions + b + 1])
            ]
            for a in range(mdp.n_actions)
        ]
        for s in range(mdp.n_states)
    ]
    return from_P(table, np.diff(mdp.start_cdf, prepend=0.0))


@pytest.mark.parametrize("epsilon", [0.5, 0.1, 0.001])
@pytest.mark.parametrize("name", ["GridWorld-Windy-v0", "GridWorld-Cliff-v0", "CliffWalking-v1", "FrozenLake-v1"])
def test_at_gamma_1_it_starts_from_a_policy_that_ends_soon(name, epsilon):
    """Where every action can slip into any other, following slips ends the episode too, after some 10^16 steps."""
    world = slippery(name, epsilon)
    agent = make(world, Config(gamma=1.0))
    assert ended_value(agent.problem.model, agent.plan.policy).steps.max() < 1e6
    list(agent.updates(100))
    assert agent.converged
    P, r, _, _ = dense(world)
    np.testing.assert_allclose((r + P @ agent.v).max(axis=1), agent.v, atol=1e-9)
    swept = planners.make("value_iteration", world, gamma=1.0)
    list(swept.updates(20_000))
    np.testing.assert_allclose(swept.v, agent.v, atol=2e-6)


def test_at_gamma_1_an_end_that_is_too_rare_for_floating_point_is_refused():
    n = 40
    rare = from_P([[[(0.1, min(s + 1, n - 1), -1.0, s == n - 1), (0.9, 0, -1.0, False)]] for s in range(n)])
    agent = make(rare, Config(gamma=1.0))
    with pytest.raises(ValueError, match="ends too rarely for floating point to tell its value; use gamma < 1"):
        list(agent.updates(10))
    with pytest.raises(ValueError, match="an end is too rare for floating point to tell"):
        planners.make("value_iteration", rare, gamma=1.0)

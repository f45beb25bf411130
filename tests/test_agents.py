"""All planners against a dense solve, and so against each other, on hundreds of MDPs, within the bounds they report."""

import itertools

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit import agents
from rlkit.mdp import from_env, from_P
from tests.probes import book_2x2, book_5x5, dense, random_mdp
from tests.reference import optimum

TOLERANCE = 1e-6
GAMMAS = (0.0, 0.5, 0.9, 0.99, 0.9999)
MDPS = [40, pytest.param(200, marks=pytest.mark.slow)]

STALLING = {"forcing": 0.9, "iterations": 2, "fallback": 3}  # of Krylov's solver; lives on plain sweeps

EXACT = [
    ("policy_iteration", {}),
    ("inexact_policy_iteration", {}),
    ("inexact_policy_iteration", STALLING),
    ("linear_programming", {}),
]
TWO_THREADS = (
    "prioritized_sweeping",
    {"structure": False, "threads": 2},
)  # they wait for each other where others work too
SWEEPING = [
    *(("value_iteration", {"order": order}) for order in ("jacobi", "gauss-seidel", "red-black", "random")),
    *(("value_iteration", {"order": order, "stop": "span"}) for order in ("jacobi", "random")),
    *(("truncated_policy_iteration", {"evaluations": n}) for n in (1, 10, 100)),
    ("prioritized_sweeping", {}),
    TWO_THREADS,
    ("prioritized_sweeping", {"passes": 1}),
]


def within_its_bound(agent, best):
    """The reported bound is honest, and what `converged` claims."""
    assert np.abs(agent.v - best.v).max() <= agent.bound + best.error
    if agent.converged:
        assert agent.bound <= max(agent.config.tolerance, 4 * agent.plan.rounding)


def cases(count, **kind):
    rng = np.random.default_rng(1)
    for i in range(count):
        mdp, gamma = random_mdp(rng, **kind), GAMMAS[i % len(GAMMAS)]
        yield i, mdp, gamma, optimum(mdp, gamma)


@pytest.mark.parametrize(("name", "config"), EXACT)
@pytest.mark.parametrize("count", MDPS)
def test_planners_that_solve_equations_agree_with_the_dense_solve(name, config, count):
    for i, mdp, gamma, best in cases(count):
        agent = agents.make(name, mdp, gamma=gamma, tolerance=TOLERANCE, seed=i, **config)
        for _ in agent.updates(1000):
            within_its_bound(agent, best)
        assert agent.converged or (gamma == 0.9999 and config == STALLING)
        chosen = best.q[np.arange(mdp.n_states), agent.policy]
        assert (chosen >= best.v - 2 * gamma * agent.bound - 2 * best.error).all()


@pytest.mark.parametrize(
    ("name", "config"),
    [pytest.param(*one, marks=pytest.mark.slow) if one is TWO_THREADS else one for one in SWEEPING],
)
@pytest.mark.parametrize("count", MDPS)
def test_planners_that_sweep_agree_with_the_dense_solve(name, config, count):
    for i, mdp, gamma, best in cases(count):
        agent = agents.make(name, mdp, gamma=gamma, tolerance=TOLERANCE, seed=i, **config)
        for report in agent.updates(4000 if gamma < 0.999 else 300):
            if report.step % 50 == 1:
                within_its_bound(agent, best)
        within_its_bound(agent, best)
        assert agent.converged or gamma == 0.9999
        chosen = best.q[np.arange(mdp.n_states), agent.policy]
        assert (chosen >= best.v - 2 * gamma * agent.bound - 2 * best.error).all()


@pytest.mark.parametrize(("name", "config"), EXACT + SWEEPING)
def test_bounds_are_honest_where_no_episode_ends(name, config):
    for i, mdp, gamma, best in cases(50, ends=0.0):
        agent = agents.make(name, mdp, gamma=gamma, tolerance=TOLERANCE, seed=i, **config)
        for _ in agent.updates(400):
            within_its_bound(agent, best)
        assert agent.converged or gamma > 0.9


@pytest.mark.parametrize(("name", "config"), EXACT + SWEEPING)
def test_a_loose_tolerance_is_kept_too(name, config):
    for i, mdp, gamma, best in cases(30):
        if gamma > 0.99:
            continue
        agent = agents.make(name, mdp, gamma=gamma, tolerance=0.5, seed=i, **config)
        list(agent.updates(4000))
        assert agent.converged
        assert np.abs(agent.v - best.v).max() <= agent.bound <= 0.5


@pytest.mark.parametrize(("name", "config"), EXACT + SWEEPING)
def test_worlds_of_gymnasium_and_ours(name, config):
    for world, gamma in (("FrozenLake-v1", 0.99), ("GridWorld-v0", 0.9), ("GridWorld-Windy-v0", 0.9), ("Taxi-v4", 0.9)):
        env = gym.make(world)
        agent = agents.make(name, env, gamma=gamma, **config)
        list(agent.updates(5000))
        assert agent.converged
        reference = agents.make("policy_iteration", from_env(env), gamma=gamma)
        list(reference.updates(100))
        assert reference.bound < 1e-9
        assert np.abs(agent.v - reference.v).max() <= agent.bound + reference.bound


def end_in(name, config, world, **arguments):
    env = gym.make(world, **arguments)
    agent = agents.make(name, env, gamma=1.0, **config)
    list(agent.updates(20_000))
    assert agent.converged
    mdp = from_env(env)
    best = agent.v
    P, r, _, _ = dense(mdp)
    np.testing.assert_allclose((r + P @ best).max(axis=1), best, atol=1e-6)
    return agent, mdp


GAMMA_1 = [case for case in EXACT + SWEEPING if case[1].get("stop") != "span" and case[0] != "inexact_policy_iteration"]


@pytest.mark.parametrize(("name", "config"), GAMMA_1)
def test_cliff_walking_at_gamma_1(name, config):
    agent, _ = end_in(name, config, "CliffWalking-v1")
    assert agent.v[36] == pytest.approx(-13.0, abs=1e-6)


@pytest.mark.parametrize(("name", "config"), GAMMA_1)
def test_the_books_cliff_and_windy_grids_at_gamma_1(name, config):
    agent, _ = end_in(name, config, "GridWorld-Cliff-v0")
    assert agent.v[36] == pytest.approx(-13.0, abs=1e-6)
    agent, mdp = end_in(name, config, "GridWorld-Windy-v0")
    assert dense(mdp).start @ agent.v == pytest.approx(-15.0, abs=1e-6)


@pytest.mark.parametrize(("name", "config"), GAMMA_1)
def test_taxi_at_gamma_1(name, config):
    agent, mdp = end_in(name, config, "Taxi-v4")
    assert dense(mdp).start @ agent.v == pytest.approx(7.93, abs=5e-3)


@pytest.mark.parametrize(("name", "config"), GAMMA_1)
def test_frozen_lake_at_gamma_1(name, config):
    agent, _ = end_in(name, config, "FrozenLake-v1")
    assert agent.v[0] == pytest.approx(14 / 17, abs=1e-6)


@pytest.mark.parametrize(("name", "config"), EXACT + SWEEPING)
def test_a_continuing_world_at_gamma_1_names_a_state(name, config):
    with pytest.raises(ValueError, match="an episode from state 0 can never end"):
        agents.make(name, book_5x5(), gamma=1.0, **config)


@pytest.mark.parametrize(("name", "config"), EXACT + SWEEPING)
def test_circles_that_pay_on_the_whole_are_refused_at_the_door(name, config):
    end = [(1.0, 0, 0.0, True)]
    lures = from_P([[end, [(1.0, 1, 3.0, False)]], [end, [(1.0, 0, -2.0, False)]]])
    with pytest.raises(ValueError, match="from state 0 on, going round in circles for ever earns more than it costs"):
        agents.make(name, lures, gamma=1.0, **config)


def best_end(mdp):
    """The best value of any deterministic policy that ends, by trying them all."""
    P, r, _, _ = dense(mdp)
    state = np.arange(mdp.n_states)
    best = np.full(mdp.n_states, -np.inf)
    for policy in itertools.product(range(mdp.n_actions), repeat=mdp.n_states):
        step = P[state, policy]
        if np.linalg.matrix_power(step, 1 << 20).max() < 1e-9:
            best = np.maximum(best, np.linalg.solve(np.eye(mdp.n_states) - step, r[state, policy]))
    return best


@pytest.mark.parametrize(("name", "config"), GAMMA_1)
def test_free_circles_lure_nobody_away_from_the_best_end(name, config):
    """Ends cost, moves are free or only lend what the way back takes, so that going round beats every end."""
    rng = np.random.default_rng(8)
    for _ in range(25):
        S = int(rng.integers(1, 6))
        height = rng.integers(-3, 4, size=S) * float(rng.integers(2))
        P = [[[(1.0, s, -float(rng.integers(1, 6)), True)]] for s in range(S)]
        for s in [*range(S), *range(S)]:
            chance, after = rng.dirichlet(np.ones(2)), rng.integers(S, size=2)
            P[s].append([(float(chance[k]), int(t), height[s] - height[t], False) for k, t in enumerate(after)])
        agent = agents.make(name, from_P(P), gamma=1.0, **config)
        assert len(list(agent.updates(20_000))) < 20_000
        assert agent.converged
        np.testing.assert_allclose(agent.v, best_end(from_P(P)), atol=2e-6)


def test_krylov_refuses_gamma_1():
    with pytest.raises(ValueError, match="gamma is 1, where a policy on the way may never end"):
        agents.make("inexact_policy_iteration", "FrozenLake-v1", gamma=1.0)


def test_span_stopping_takes_fewer_sweeps_and_proves_as_much():
    rng = np.random.default_rng(4)
    total = {"sup": 0, "span": 0}
    for _ in range(20):
        mdp = random_mdp(rng, ends=0.0, cycles=0.0)
        best = optimum(mdp, 0.99)
        sweeps = {}
        for stop in ("sup", "span"):
            agent = agents.make("value_iteration", mdp, gamma=0.99, stop=stop)
            list(agent.updates(5000))
            assert agent.converged
            assert agent.bound <= TOLERANCE
            within_its_bound(agent, best)
            sweeps[stop] = agent.step
            total[stop] += agent.step
        assert sweeps["span"] <= sweeps["sup"]
    assert total["span"] < total["sup"] / 5
    world = gym.make("GridWorld-v0")
    fast, slow = (agents.make("value_iteration", world, gamma=0.999, stop=stop) for stop in ("span", "sup"))
    list(fast.updates(100_000))
    list(slow.updates(100_000))
    assert fast.converged
    assert fast.step < slow.step / 2


def test_names_and_the_door():
    assert {name for name, _ in EXACT + SWEEPING} < set(agents.names())
    with pytest.raises(ValueError, match=r"there is no agent 'value_iterations'; the agents are .*value_iteration"):
        agents.make("value_iterations", book_2x2())
    with pytest.raises(ValueError, match="value_iteration has no option 'gama'; its options are gamma"):
        agents.make("value_iteration", book_2x2(), gama=0.9)
    with pytest.raises(ValueError, match="CartPole-v1 has no model"):
        agents.make("policy_iteration", "CartPole-v1")
    agent = agents.make("policy_iteration", "GridWorld-v0")
    list(agent.updates(100))
    assert agent.v.mean() == pytest.approx(7.79936, abs=5e-6)


@pytest.mark.parametrize("scale", [1e-14, 1e-10, 1e12])
@pytest.mark.parametrize(
    "name", ["policy_iteration", "inexact_policy_iteration", "linear_programming", "prioritized_sweeping"]
)
def test_the_unit_of_the_rewards_does_not_matter(name, scale):
    rng = np.random.default_rng(6)
    for _ in range(10):
        mdp = random_mdp(rng, max_states=30)
        best = optimum(mdp, 0.9)
        agent = agents.make(name, mdp._replace(reward=scale * mdp.reward), gamma=0.9, tolerance=1e-8 * scale)
        assert len(list(agent.updates(1000))) < 1000
        assert agent.converged
        assert np.abs(agent.v / scale - best.v).max() <= 1e-8 + best.error

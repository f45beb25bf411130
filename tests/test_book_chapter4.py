"""Chapter 4 of Zhao's book in numbers: value iteration, policy iteration and what lies between them."""

from itertools import pairwise

import numpy as np

import envs  # noqa: F401 - registers the ids
from rlkit import agents, exact
from rlkit.mdp import from_env
from rlkit.tabular.bellman import greedy
from rlkit.tabular.problem import make_problem
from tests.book_worlds import DOWN, FORBIDDEN, RIGHT, STAY, TARGET, solve, value_of, world


def table_4_1(v):
    """q(s, a) of the 2x2 world, written out by hand for any v."""
    v1, v2, v3, v4 = v
    g = 0.9
    return [
        [-1 + g * v1, -1 + g * v2, 0 + g * v3, -1 + g * v1, 0 + g * v1],
        [-1 + g * v2, -1 + g * v2, 1 + g * v4, 0 + g * v1, -1 + g * v2],
        [0 + g * v1, 1 + g * v4, -1 + g * v3, -1 + g * v3, 0 + g * v3],
        [-1 + g * v2, -1 + g * v4, -1 + g * v4, 0 + g * v3, 1 + g * v4],
    ]


def test_tables_4_1_to_4_3_value_iteration_on_the_2x2_world():
    env = world("book-2x2")
    problem = make_problem(env, 0.9)
    rng = np.random.default_rng(3)
    for v in rng.normal(size=(20, 4)):
        np.testing.assert_allclose(problem.q(v), table_4_1(v), atol=1e-14)
    agent = agents.make("value_iteration", env, gamma=0.9)
    k_0 = [[-1, -1, 0, -1, 0], [-1, -1, 1, 0, -1], [0, 1, -1, -1, 0], [-1, -1, -1, 0, 1]]
    np.testing.assert_allclose(agent.q(), k_0, atol=1e-15)
    list(agent.updates(1))
    np.testing.assert_allclose(agent.v, [0, 1, 1, 1], atol=1e-15)
    k_1 = [[-1, -0.1, 0.9, -1, 0], [-0.1, -0.1, 1.9, 0, -0.1], [0, 1.9, -0.1, -0.1, 0.9], [-0.1, -0.1, -0.1, 0.9, 1.9]]
    np.testing.assert_allclose(agent.q(), k_1, atol=1e-15)
    np.testing.assert_array_equal(agent.policy, [DOWN, DOWN, RIGHT, STAY])  # optimal after one sweep
    list(agent.updates(1))
    np.testing.assert_allclose(agent.v, [0.9, 1.9, 1.9, 1.9], atol=1e-15)


def test_the_first_policy_of_value_iteration_is_tied_in_the_first_state():
    q = make_problem(world("book-2x2"), 0.9).q(np.zeros(4))
    np.testing.assert_array_equal(np.flatnonzero(q[0] == q[0].max()), [DOWN, STAY])


def test_tables_4_4_and_4_5_policy_iteration_on_the_two_cells():
    env = world("book-line")
    mdp = from_env(env)
    left, stay, right = range(3)
    agent = agents.make("policy_iteration", env, gamma=0.9)
    np.testing.assert_array_equal(agent.plan.policy, [left, left])
    list(agent.updates(1))
    np.testing.assert_allclose(agent.v, [-10, -9])
    v1, v2 = agent.v
    table_4_4 = [[-1 + 0.9 * v1, 0 + 0.9 * v1, 1 + 0.9 * v2], [0 + 0.9 * v1, 1 + 0.9 * v2, -1 + 0.9 * v2]]
    np.testing.assert_allclose(agent.q(), table_4_4)
    np.testing.assert_allclose(agent.q(), [[-10, -9, -7.1], [-9, -7.1, -9.1]])
    np.testing.assert_array_equal(agent.plan.policy, [right, stay])
    list(agent.updates(10))
    np.testing.assert_allclose(agent.v, [10, 10])
    np.testing.assert_allclose(exact.value(mdp, exact.deterministic(mdp, [right, stay]), 0.9), [10, 10])


def test_sweeps_of_policy_evaluation_on_the_two_cells():
    from rlkit.tabular.bellman import evaluate

    problem = make_problem(world("book-line"), 0.9)
    policy, v, out = np.zeros(2, np.int64), np.zeros(2), np.zeros(2)
    for expected in ([-1, 0], [-1.9, -0.9], [-2.71, -1.71]):
        evaluate(problem.model, policy, v, out)
        np.testing.assert_allclose(out, expected)
        v, out = out, v
    for _ in range(400):
        evaluate(problem.model, policy, v, out)
        v, out = out, v
    np.testing.assert_allclose(v, [-10, -9])


def test_policy_improvement_never_makes_a_state_worse():
    """Lemma 4.1, from random policies on the 5x5 world."""
    rng = np.random.default_rng(4)
    env = world()
    problem = make_problem(env, 0.9)
    for _ in range(50):
        policy = rng.integers(5, size=25)
        v = value_of(env, policy)
        better = policy.copy()
        greedy(problem.model, v, better, -np.inf)
        assert (value_of(env, better) >= v - 1e-12).all()


def distances_to_target(env):
    """Moves to the target around forbidden cells, from every cell (infinite from where it is not needed)."""
    mdp = from_env(env)
    far = np.full(25, np.inf)
    far[TARGET] = 0
    for _ in range(25):
        for s in range(25):
            for s_next in mdp.next_state[s * 5 : s * 5 + 5]:
                if s_next not in FORBIDDEN:
                    far[s] = min(far[s], far[s_next] + 1)
    return far


def test_figure_4_4_policies_near_the_target_become_optimal_first():
    env = world(r_forbidden=-10.0)
    best = solve(env)
    far, optimal = distances_to_target(env), best.optimal_actions()
    rng = np.random.default_rng(5)
    for _ in range(20):
        agent = agents.make("policy_iteration", env, gamma=0.9)
        agent.plan.policy = rng.integers(5, size=25)
        reached, solved_states = [], []
        for _ in agent.updates(50):
            good = np.abs(agent.v - best.v) < 1e-9
            solved_states.append(int(good.sum()))
            wrong = ~optimal[np.arange(25), agent.plan.policy]
            reached.append(far[wrong].min(initial=np.inf))
        assert solved_states == sorted(solved_states)  # a solved state stays solved
        assert solved_states[-1] == 25
        assert reached[-1] == np.inf
        assert reached == sorted(reached)  # and the nearest wrong state moves outwards
        assert far[far < np.inf].max() >= len(reached) - 2


def test_states_near_the_target_have_greater_values():
    env = world(r_forbidden=-10.0)
    v, far = solve(env).v, distances_to_target(env)
    open_cells = np.setdiff1d(np.arange(25), FORBIDDEN)
    np.testing.assert_allclose(v[open_cells], 10 * 0.9 ** np.maximum(far[open_cells] - 1, 0))


def test_truncated_policy_iteration_lies_between_value_and_policy_iteration():
    """Section 4.3: one evaluation is value iteration, many are policy iteration, and more are never slower a round."""
    env = world()
    best = solve(env).v
    start = np.full(25, -20.0)  # below T start, from where all of them climb
    errors = []
    for evaluations in (1, 5, 20, 1000):
        agent = agents.make("truncated_policy_iteration", env, gamma=0.9, evaluations=evaluations)
        agent.plan.v[:] = start
        errors.append([np.abs(best - agent.v).max() for _ in zip(range(12), agent.updates(12), strict=False)])
    for fewer, more in pairwise(errors):
        assert all(y <= x + 1e-12 for x, y in zip(fewer, more, strict=False))
    sweeping = agents.make("value_iteration", env, gamma=0.9)
    sweeping.plan.v[:] = start
    np.testing.assert_allclose(
        errors[0],
        [np.abs(best - sweeping.v).max() for _ in zip(range(12), sweeping.updates(12), strict=False)],
        atol=1e-13,
    )
    exact_rounds = agents.make("policy_iteration", env, gamma=0.9)
    exact_rounds.plan.policy = agents.make("value_iteration", env, gamma=0.9).policy
    rounds = [np.abs(best - exact_rounds.v).max() for _ in exact_rounds.updates(50)]
    assert errors[3][len(rounds) - 1] < 1e-9


def test_the_3x3_world():
    v = solve(world("book-3x3")).v
    np.testing.assert_allclose(v, [7.29, 8.1, 8, 8.1, 9, 10, 9, 10, 10])

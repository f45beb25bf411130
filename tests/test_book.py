"""Chapters 1 to 3 of Zhao's book in numbers, and worlds that others know."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit import exact
from rlkit.mdp import from_env
from rlkit.tabular.problem import make_problem
from tests.book_worlds import (
    DOWN,
    FIGURE_3_4_A,
    FIGURE_3_4_D,
    FORBIDDEN,
    LEFT,
    RIGHT,
    STAY,
    TARGET,
    UP,
    journey,
    printed,
    solve,
    value_of,
    world,
)

# Chapter 1


def test_rewards_and_moves_of_chapter_1():
    env = world()
    for s, action, s_next, reward in [
        (0, UP, 0, -1),  # leaving the grid bounces
        (0, RIGHT, 1, 0),
        (1, DOWN, 6, -1),  # into a forbidden cell
        (6, STAY, 6, -1),  # and staying there
        (6, UP, 1, 0),  # and out of it
        (21, DOWN, 21, -1),  # a bump on a forbidden cell pays for the bump alone
        (16, RIGHT, 17, 1),  # into the target
        (17, STAY, 17, 1),  # which goes on paying
        (17, UP, 12, -1),
        (24, RIGHT, 24, -1),
    ]:
        env.reset(options={"state": s})
        assert env.step(action)[:3] == (s_next, reward, False)


def test_the_discounted_return_of_section_1_6():
    """From the first cell of the 3x3 down, down is forbidden; right, down, down, right reaches the target in four steps."""
    env = world("book-3x3")
    env.reset(options={"state": 0})
    total, paid = 0.0, []
    for k, action in enumerate([RIGHT, DOWN, DOWN, RIGHT] + [STAY] * 500):
        _, reward, *_ = env.step(action)
        paid.append(reward)
        total += 0.9**k * reward
    assert paid[:6] == [0, 0, 0, 1, 1, 1]
    assert total == pytest.approx(0.9**3 / (1 - 0.9))
    assert solve(env).v[0] == pytest.approx(total)


# Chapter 2


def test_returns_of_three_policies_section_2_1():
    env = world("book-2x2")
    down, right = [DOWN, DOWN, RIGHT, STAY], [RIGHT, DOWN, RIGHT, STAY]
    np.testing.assert_allclose(value_of(env, down), [9, 10, 10, 10])
    np.testing.assert_allclose(value_of(env, right), [8, 10, 10, 10])
    mdp = from_env(env)
    half = (exact.deterministic(mdp, down) + exact.deterministic(mdp, right)) / 2
    np.testing.assert_allclose(exact.value(mdp, half, 0.9), [8.5, 10, 10, 10])


def chapter_2_policies():
    rng = np.random.default_rng(0)
    for layout in ("book-2x2", "book-3x3", "book-5x5"):
        mdp = from_env(world(layout, slip=0.2))
        yield mdp, rng.dirichlet(np.ones(5), size=mdp.n_states)


def test_the_bellman_equation_elementwise():
    for mdp, pi in chapter_2_policies():
        v = exact.value(mdp, pi, 0.9)
        for s in range(mdp.n_states):
            total = 0.0
            for a in range(5):
                for k in range(mdp.indptr[s * 5 + a], mdp.indptr[s * 5 + a + 1]):
                    total += pi[s, a] * mdp.prob[k] * (mdp.reward[k] + 0.9 * v[mdp.next_state[k]])
            assert v[s] == pytest.approx(total, abs=1e-12)


def test_the_matrix_form_and_its_closed_solution():
    for mdp, pi in chapter_2_policies():
        chain = exact.chain.chain(mdp, pi)
        P, r = chain.step.toarray(), chain.reward
        np.testing.assert_allclose(P.sum(axis=1), 1.0)  # stochastic, as no episode ends
        v = exact.value(mdp, pi, 0.9)
        np.testing.assert_allclose(v, r + 0.9 * P @ v, atol=1e-12)
        np.testing.assert_allclose(v, np.linalg.inv(np.eye(len(r)) - 0.9 * P) @ r, atol=1e-12)
        inverse = np.linalg.inv(np.eye(len(r)) - 0.9 * P)
        assert (inverse >= np.eye(len(r)) - 1e-12).all()  # the inverse is at least the identity


def test_the_iterative_solution_converges_at_rate_gamma():
    for mdp, pi in chapter_2_policies():
        chain = exact.chain.chain(mdp, pi)
        best, v = exact.value(mdp, pi, 0.9), np.zeros(mdp.n_states)
        for _ in range(50):
            v_next = chain.reward + 0.9 * chain.step @ v
            assert np.abs(v_next - best).max() <= 0.9 * np.abs(v - best).max() + 1e-13
            v = v_next


def test_the_good_policies_of_figure_2_7():
    """Cell (1, 4) and (2, 4) may go right or down; the four policies are worth the same, and what the figure prints."""
    env = world()
    careful = solve(world(r_forbidden=-10.0))
    for first in (RIGHT, DOWN):
        for second in (RIGHT, DOWN):
            policy = careful.policy.copy()
            policy[3], policy[8] = first, second
            v = value_of(env, policy)
            np.testing.assert_allclose(v, printed(FIGURE_3_4_D), atol=0.0501)
            np.testing.assert_allclose(
                v, careful.v, atol=1e-9
            )  # it never enters a forbidden cell: what they cost is all one


def test_always_right_of_figure_2_7():
    expected = """
    -6.6 -7.3 -8.1 -9.0 -10.0
    -8.5 -8.3 -8.1 -9.0 -10.0
    -7.5 -8.3 -8.1 -9.0 -10.0
    -7.5 -7.2 -9.1 -9.0 -10.0
    -7.6 -7.3 -8.1 -9.0 -10.0
    """
    v = value_of(world(), np.full(25, RIGHT))
    np.testing.assert_allclose(v, printed(expected), atol=0.0501)
    assert v[0] == pytest.approx(-10 * 0.9**4)


def test_the_uniform_policy():
    v = value_of(world(), np.full((25, 5), 0.2))
    assert v.mean() == pytest.approx(-3.52, abs=0.005)


def test_action_values_from_state_values_and_back():
    env = world("book-2x2")
    mdp = from_env(env)
    pi = exact.deterministic(mdp, [RIGHT, DOWN, RIGHT, STAY])
    q = exact.action_value(mdp, pi, 0.9)
    v1, v2, v3, _ = exact.value(mdp, pi, 0.9)
    np.testing.assert_allclose(q[0], [-1 + 0.9 * v1, -1 + 0.9 * v2, 0.9 * v3, -1 + 0.9 * v1, 0.9 * v1])
    assert q[0, DOWN] == pytest.approx(9)  # an action that the policy never takes has a value too, here a better one
    assert q[0, RIGHT] == pytest.approx(8)
    for mdp, pi in chapter_2_policies():
        np.testing.assert_allclose((pi * exact.action_value(mdp, pi, 0.9)).sum(axis=1), exact.value(mdp, pi, 0.9))
        np.testing.assert_allclose((pi * exact.advantage(mdp, pi, 0.9)).sum(axis=1), 0.0, atol=1e-12)


# Chapter 3


def test_improving_the_policy_of_section_3_1():
    env = world("book-2x2")
    mdp = from_env(env)
    q = exact.action_value(mdp, exact.deterministic(mdp, [RIGHT, DOWN, RIGHT, STAY]), 0.9)
    assert q[0].argmax() == DOWN
    np.testing.assert_allclose(value_of(env, q.argmax(axis=1)), [9, 10, 10, 10])


@pytest.mark.parametrize("name", ["value_iteration", "policy_iteration", "linear_programming", "prioritized_sweeping"])
def test_the_bellman_optimality_equation(name):
    agent = solve(world(), name=name, tolerance=1e-10)
    np.testing.assert_allclose(agent.q().max(axis=1), agent.v, atol=1e-10)
    assert agent.v[TARGET] == pytest.approx(10)


def test_the_contraction_mapping_theorem():
    """From any start the sweeps come together, each by gamma or more (theorems 3.1 to 3.3)."""
    rng = np.random.default_rng(1)
    problem = make_problem(world(), 0.9)
    starts = [np.zeros(25), 100 * rng.normal(size=25), np.full(25, -40.0)]
    for _ in range(300):
        swept = [problem.q(v).max(axis=1) for v in starts]
        for v, u, f, g in zip(starts, starts[1:], swept, swept[1:], strict=False):
            assert np.abs(f - g).max() <= 0.9 * np.abs(v - u).max() + 1e-12
        starts = swept
    for v in starts:
        np.testing.assert_allclose(v, solve(world()).v, atol=1e-10)


def test_the_greedy_policy_is_optimal():
    """Theorems 3.4 and 3.5: no policy has a greater value in any state, and greedy for v* attains it."""
    rng = np.random.default_rng(2)
    env = world()
    best = solve(env)
    np.testing.assert_allclose(value_of(env, best.policy), best.v)
    for _ in range(100):
        policy = rng.integers(5, size=25) if rng.random() < 0.5 else rng.dirichlet(np.ones(5), size=25)
        assert (value_of(env, policy) <= best.v + 1e-12).all()
    ties = best.optimal_actions()
    shared = ties / ties.sum(axis=1, keepdims=True)  # an optimal policy need be neither unique nor deterministic
    assert (ties.sum(axis=1) > 1).any()
    np.testing.assert_allclose(value_of(env, shared), best.v)


def test_figure_3_4_a():
    agent = solve(world())
    np.testing.assert_allclose(agent.v, printed(FIGURE_3_4_A), atol=0.0501)
    np.testing.assert_allclose(agent.v[:5], [5.832, 5.58, 6.2, 6.48, 5.832], atol=1e-12)
    assert agent.v.mean() == pytest.approx(7.79936, abs=1e-12)
    path = journey(world(), agent.policy, 15)  # from cell (4, 1) through the forbidden (4, 2) straight to the target
    assert path[:3] == [15, 16, TARGET]


def test_figure_3_4_b_a_lower_discount_does_not_take_risks():
    agent = solve(world(), gamma=0.5)
    assert agent.v[TARGET] == pytest.approx(2)
    ties = agent.optimal_actions()
    P = from_env(world())
    for s in set(range(25)) - set(FORBIDDEN):
        for a in np.flatnonzero(ties[s]):
            assert int(P.next_state[P.indptr[s * 5 + a]]) not in FORBIDDEN
    path = journey(world(), agent.policy, 15)
    assert TARGET in path
    assert not set(path) & set(FORBIDDEN)


def test_figure_3_4_c_without_discounting_ahead_only_the_next_reward_counts():
    agent = solve(world(), gamma=0.0)
    mdp = from_env(world())
    reward = mdp.reward.reshape(25, 5)
    np.testing.assert_array_equal(agent.optimal_actions(), reward == reward.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(
        agent.v, np.isin(np.arange(25), [12, 16, 17, 18, 22])
    )  # the target and its neighbours


def test_figure_3_4_d_a_higher_penalty_makes_the_long_way_worth_while():
    env = world(r_forbidden=-10.0)
    agent = solve(env)
    np.testing.assert_allclose(agent.v, printed(FIGURE_3_4_D), atol=0.0501)
    path = journey(env, agent.policy, 15)
    assert TARGET in path
    assert not set(path) & set(FORBIDDEN)
    assert len(path[: path.index(TARGET)]) > 10


@pytest.mark.parametrize(("scale", "shift"), [(2.0, 0.0), (1.0, 1.0), (0.5, -3.0), (7.0, 100.0)])
def test_affine_rewards_leave_the_policy_and_move_the_values(scale, shift):
    """Theorem 3.6: r -> a r + b gives v* -> a v* + b / (1 - gamma)."""
    before = solve(world())
    rewards = {"r_boundary": -1, "r_forbidden": -1, "r_target": 1, "r_step": 0}
    after = solve(world(**{name: scale * r + shift for name, r in rewards.items()}))
    np.testing.assert_allclose(after.v, scale * before.v + shift / (1 - 0.9), rtol=1e-12)
    np.testing.assert_array_equal(after.optimal_actions(), before.optimal_actions())


def test_a_detour_costs_although_steps_are_free():
    """Section 3.5: in the 2x2 without forbidden cells going round the long way to the target is worth 8.1, not 10."""
    env = gym.make("GridWorld-v0", layout=["..", ".T"])
    direct, detour = [DOWN, DOWN, RIGHT, STAY], [DOWN, LEFT, RIGHT, STAY]
    np.testing.assert_allclose(value_of(env, direct), [9, 10, 10, 10])
    np.testing.assert_allclose(value_of(env, detour), [9, 8.1, 10, 10])


# Beyond the book's grids


def test_known_worlds():
    assert solve(gym.make("FrozenLake-v1"), gamma=0.99).v[0] == pytest.approx(0.542026, abs=5e-7)
    assert solve(gym.make("CliffWalking-v1"), gamma=1.0).v[36] == pytest.approx(-13)
    taxi = gym.make("Taxi-v4")
    assert solve(taxi, gamma=1.0).v @ taxi.unwrapped.initial_state_distrib == pytest.approx(7.93, abs=5e-3)
    windy = gym.make("GridWorld-Windy-v0")
    assert solve(windy, gamma=1.0).v @ windy.unwrapped.initial_state_distrib == pytest.approx(-15)

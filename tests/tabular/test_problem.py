"""The door to all planners: which model a world gets, what is refused and how, and who can come to an end."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import ClipReward

import envs
from rlkit.agents import make
from rlkit.mdp import from_env, from_P
from rlkit.rules import Rules, find_rules, rules_from_env
from rlkit.tabular.circles import pays_for_ever
from rlkit.tabular.ends import edges, ending_policy
from rlkit.tabular.model import Sparse, Stencil, sparse
from rlkit.tabular.problem import make_problem
from tests.probes import book_5x5, dense, random_mdp, small_grid

LURE = from_P([[[(1.0, 0, 1.0, False)], [(1.0, 1, 0.0, False)]], [[(1.0, 1, 0.0, True)], [(1.0, 0, 0.0, False)]]])


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan")])
def test_gamma_out_of_range(gamma):
    with pytest.raises(ValueError, match=f"gamma is {gamma}; it must lie between 0 and 1"):
        make_problem(book_5x5(), gamma)


def test_a_world_without_a_model():
    with pytest.raises(ValueError, match="CartPole-v1 has no model to plan with"):
        make_problem(gym.make("CartPole-v1"), 0.9)
    with pytest.raises(ValueError, match="a wrapper that may change"):
        make_problem(ClipReward(gym.make("FrozenLake-v1"), 0, 1), 0.9)


def test_what_is_no_world():
    batch = gym.make_vec("FrozenLake-v1", num_envs=3)
    for name in ("value_iteration", "backward_induction"):
        with pytest.raises(ValueError, match=r"a batch of 3 environments, .* pass gym.make\(...\)"):
            make(name, batch)
    with pytest.raises(ValueError, match="the world is a list; pass an environment, an MDP or Rules"):
        make_problem([], 0.9)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("next_state", np.full(125, 25), r"P\[0\]\[0\] has the next state 25; states are 0 .. 24"),
        ("next_state", np.zeros(125), "next_state has dtype float64"),
        ("prob", np.full(125, 0.9), r"P\[0\]\[0\] sums to 0\.9"),
        ("reward", np.full(124, 1.0), r"reward has shape \(124,\); indptr asks for \(125,\)"),
        ("reward", np.full(125, np.nan), r"P\[0\]\[0\] has the reward nan"),
        ("indptr", np.arange(1, 127), "indptr"),
        ("n_states", 24, "n_states is 24, but indptr has rows for 25 states"),
        ("n_actions", 3, r"start has shape \(25,\)|indptr has 126 entries"),
    ],
)
def test_an_mdp_put_together_by_hand_is_checked(field, value, message):
    with pytest.raises(ValueError, match=message):
        make_problem(book_5x5()._replace(**{field: value}), 0.9)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("offset", [1], "rule 0 leads from state 2 to 3; states are 0 .. 2"),
        ("offset", [-1], "rule 0 leads from state 0 to -1"),
        ("offset", [0.5], "offset has dtype float64"),
        ("offset", [0, 0], r"offset has dtype int64 and shape \(2,\); prob has \(1,\)"),
        ("rule", [0, 0, -1], "rule is .*; it holds the number of a rule, 0 or more"),
        ("rule", [0, 0, 1], "indptr"),
        ("prob", [0.5], r"P\[0\]\[0\] sums to 0\.5"),
        ("indptr", [0, 0], r"P\[0\]\[0\] has no outcome|asks for"),
    ],
)
def test_rules_put_together_by_hand_are_checked(field, value, message):
    stay = Rules(*map(np.array, ([0, 0, 0], [0, 1], [0], [1.0], [1.0], [False])))
    np.testing.assert_allclose(make_problem(stay, 0.9).q(np.ones(3)), 1.9)
    with pytest.raises(ValueError, match=message):
        make_problem(stay._replace(**{field: np.array(value)}), 0.9)


def test_gamma_1_on_a_continuing_world_names_a_state():
    with pytest.raises(ValueError, match="an episode from state 0 can never end \\(25 such states\\)"):
        make_problem(gym.make("GridWorld-v0"), 1.0)
    trap = from_P([[[(1.0, 0, 0.0, True)]], [[(1.0, 2, 0.0, False)]], [[(1.0, 1, 0.0, False)]]])
    with pytest.raises(ValueError, match="from state 1 can never end \\(2 such states\\)"):
        make_problem(trap, 1.0)


def test_gamma_1_where_every_step_of_an_endless_way_pays():
    stays = gym.make("GridWorld-v0", layout="S.T\n.X.", forbidden="terminal")  # the target pays again and again
    with pytest.raises(ValueError, match="gamma is 1, but from state 1 on, going round in circles"):
        make_problem(stays, 1.0)
    walk = gym.make("GridWorld-v0", layout="S.T\n...", target="terminal", r_step=0.1, actions=4)
    with pytest.raises(ValueError, match="from state 0 on, going round in circles"):
        make_problem(walk, 1.0)
    end, home = [(1.0, 0, 0.0, True)], [(1.0, 0, -2.0, False)]
    leads_away = from_P([[end, [(1.0, 1, 1.0, False)]], [end, [(1.0, 2, 1.0, False)]], [end, home]])
    for model in (sparse(leads_away, 1.0), make_problem(leads_away, 1.0).model):
        assert not pays_for_ever(model).any()


@pytest.mark.parametrize("name", sorted(envs.IDS))
def test_every_grid_world_gets_the_model_of_its_arrays(name):
    env = gym.make(name)
    rng = np.random.default_rng(0)
    v = rng.normal(size=env.observation_space.n)
    mdp = from_env(env)
    expected = make_problem(mdp, 0.9, structure=False).q(v)
    for problem in (make_problem(env, 0.9), make_problem(mdp, 0.9), make_problem(env, 0.9, structure=False)):
        np.testing.assert_allclose(problem.q(v), expected, atol=1e-13)
        assert problem.ergodic == (not mdp.terminated.any())
    P, r, _, _ = dense(mdp)
    np.testing.assert_allclose(expected, r + 0.9 * P @ v, atol=1e-13)


def test_few_rules_make_a_stencil():
    env = gym.make("GridWorld-Random-v0", rows=30, cols=30)
    problem = make_problem(env, 0.9)
    assert isinstance(problem.model, Stencil)
    assert len(problem.model.table) < 9 * 4 * 100
    by_arrays = make_problem(from_env(env), 0.9)
    assert by_arrays.model.slots == problem.model.slots
    np.testing.assert_array_equal(np.diff(by_arrays.model.rule)[1:-1] == 0, np.diff(problem.model.rule)[1:-1] == 0)


def test_rules_too_wide_for_a_stencil_are_swept_as_rows():
    env = gym.make("GridWorld-v0", layout=["..........................T"] * 3, actions=4)
    rules = env.unwrapped.rules
    many = np.arange(-1, 17)  # eighteen successors for state 1
    env.unwrapped.rules = rules._replace(
        rule=np.where(np.arange(81) == 1, rules.rule.max() + 1, rules.rule).astype(np.int32),
        indptr=np.concatenate([rules.indptr, rules.indptr[-1] + 18 * np.arange(1, 5)]),
        offset=np.concatenate([rules.offset, np.tile(many, 4)]).astype(np.int32),
        prob=np.concatenate([rules.prob, np.full(72, 1 / 18)]),
        reward=np.concatenate([rules.reward, np.zeros(72)]),
        terminated=np.concatenate([rules.terminated, np.zeros(72, np.bool_)]),
    )
    problem = make_problem(env, 0.9)
    assert isinstance(problem.model, Sparse)
    v = np.arange(81.0)
    np.testing.assert_allclose(problem.q(v)[1], 0.9 * v[:18].mean())
    with pytest.raises(ValueError, match="too many successors"):
        make_problem(rules_from_env(env), 0.9)


def test_rules_are_a_world_too():
    env = gym.make("GridWorld-Random-v0", rows=9, cols=9)
    rules = rules_from_env(env)
    assert isinstance(rules, Rules)
    np.testing.assert_array_equal(
        make_problem(rules, 0.9).q(np.arange(81.0)), make_problem(env, 0.9).q(np.arange(81.0))
    )
    assert find_rules(random_mdp(np.random.default_rng(0))) is None


def test_edges_are_what_can_be_read():
    rng = np.random.default_rng(1)
    for _ in range(60):
        mdp = random_mdp(rng)
        expected = {(int(s), int(a), int(t)) for s, a, t in np.argwhere(dense(mdp).P > 0)}
        for model in (make_problem(mdp, 0.9).model, sparse(mdp, 0.9)):
            assert set(zip(*(part.tolist() for part in edges(model)), strict=True)) == expected


def test_an_ending_policy_ends():
    rng = np.random.default_rng(2)
    open_ones = 0
    for _ in range(100):
        mdp = random_mdp(rng)
        policy = ending_policy(sparse(mdp, 1.0))
        P, _, ends, _ = dense(mdp)
        can = np.zeros(mdp.n_states, np.bool_)  # from where can an end be reached at all
        for _ in range(mdp.n_states):
            can |= ((ends > 1e-9) | (P[:, :, can].sum(axis=2) > 0)).any(axis=1)
        np.testing.assert_array_equal(policy >= 0, can)
        if can.all():
            open_ones += 1
            state = np.arange(mdp.n_states)
            alive = np.linalg.matrix_power(P[state, policy], 4096).sum(axis=1)
            assert (alive < 1.0).all()
    assert open_ones > 30


def test_ending_policies_of_known_worlds():
    assert (ending_policy(sparse(small_grid(), 1.0)) >= 0).all()
    np.testing.assert_array_equal(ending_policy(sparse(LURE, 1.0)), [1, 0])


def test_rows_that_sum_to_a_little_more_than_one_are_in_the_bound():
    mdp = from_P({0: {0: [(1 + 9e-9, 0, 1.0, False)]}})
    gamma = 0.9999
    exact = (1 + 9e-9) / (1 - gamma * (1 + 9e-9))
    for name in ("value_iteration", "prioritized_sweeping", "truncated_policy_iteration"):
        planner = make(name, mdp, gamma=gamma, tolerance=1e-3)
        for _ in planner.updates(10**6):
            pass
        assert planner.converged
        assert abs(planner.v[0] - exact) <= planner.bound
    for close in (1 - 5e-9, 1.0):
        with pytest.raises(ValueError, match="divide each row by its sum"):
            make_problem(mdp, close)

"""Models against plain sums: what is folded in, when a stencil is refused, and that cutting self loops moves no fixed point."""

import numpy as np
import pytest

from rlkit.mdp import from_P
from rlkit.rules import Rules
from rlkit.tabular.bellman import q_of
from rlkit.tabular.model import Sparse, dense_table, sparse, stencil, without_self_loops
from rlkit.team import Team
from tests.probes import book_5x5, dense, random_mdp
from tests.reference import optimum

GAMMA = 0.9


def both(mdp, gamma=GAMMA):
    shared = stencil(mdp, gamma)
    return [sparse(mdp, gamma)] + ([] if shared is None else [shared])


def table_of(model):
    """Weights [S, A, S] and rewards [S, A], by reading the arrays."""
    weight = np.zeros((model.n_states, model.n_actions, model.n_states))
    if isinstance(model, Sparse):
        for row in range(model.n_states * model.n_actions):
            for k in range(model.indptr[row], model.indptr[row + 1]):
                weight[row // model.n_actions, row % model.n_actions, model.successor[k]] += model.weight[k]
        return weight, model.reward.reshape(model.n_states, -1)
    offset, reward, stored = dense_table(model)
    for s, rule in enumerate(model.rule):
        for m in range(len(model.slots)):
            weight[s, :, s + offset[rule, m]] += stored[rule, m]
    return weight, reward[model.rule]


def test_a_model_is_the_mdp_with_the_discount_multiplied_in():
    rng = np.random.default_rng(0)
    stencils = 0
    for _ in range(100):
        mdp = random_mdp(rng)
        P, r, _, _ = dense(mdp)
        for model in both(mdp):
            weight, reward = table_of(model)
            np.testing.assert_allclose(weight, GAMMA * P, atol=1e-15)
            np.testing.assert_allclose(reward, r, atol=1e-14)
            stencils += not isinstance(model, Sparse)
    assert stencils > 50


def test_a_model_reads_nothing_that_cannot_happen():
    mdp = from_P([[[(0.5, 0, 1.0, True), (0.5, 1, 3.0, False), (0.0, 0, 5.0, False)]], [[(1.0, 1, 0.0, False)]]])
    model = sparse(mdp, GAMMA)
    np.testing.assert_array_equal(model.successor, [1, 1])
    np.testing.assert_array_equal(model.weight, [0.45, 0.9])
    np.testing.assert_array_equal(model.reward, [2.0, 0.0])


def test_a_stencil_is_refused_where_it_would_not_pay():
    rng = np.random.default_rng(1)
    wide = from_P([[[(1 / 17, int(k), 0.0, False) for k in rng.permutation(40)[:17]]] for _ in range(40)])
    assert stencil(wide, GAMMA) is None
    thin = from_P([[[(1.0, (s + a) % 40, 0.0, False)] for a in range(8)] for s in range(40)])
    assert stencil(thin, GAMMA) is None
    assert stencil(from_P([[[(1.0, s, 0.0, False)] * 1 for _ in range(8)] for s in range(40)]), GAMMA) is not None


def test_many_actions_are_swept_row_by_row():
    """A vector of thousands of lanes takes the compiler minutes."""
    few, many = (from_P([[[(1.0, 0, float(a), False)] for a in range(n)]]) for n in (256, 257))
    assert len(stencil(few, GAMMA).lanes) == 256
    assert stencil(many, GAMMA) is None


def test_lanes_are_a_power_of_two_and_idle_ones_never_win():
    for n_actions, lanes in ((1, 4), (4, 4), (5, 8), (9, 16)):
        model = stencil(from_P([[[(1.0, 0, -50.0, True)] for _ in range(n_actions)]]), GAMMA)
        assert len(model.lanes) == lanes
        np.testing.assert_array_equal(model.table.reshape(-1, lanes)[0, n_actions:], -np.inf)


def without(model, gamma=GAMMA):
    """The model without self loops, the same to the last bit whoever shares the work."""
    found, shared = (without_self_loops(model, gamma, Team(members)) for members in (1, 3))
    assert all(np.array_equal(x, y) for x, y in zip(map(np.array, found), map(np.array, shared), strict=True))
    return found


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_without_self_loops_keeps_the_fixed_point(gamma):
    rng = np.random.default_rng(2)
    for _ in range(60):
        mdp = random_mdp(rng)
        best = optimum(mdp, gamma)
        for model in (without(model, gamma) for model in both(mdp, gamma)):
            weight, _ = table_of(model)
            assert not np.einsum("sas->sa", weight).any()
            q = q_of(model, best.v, mdp.n_actions)
            np.testing.assert_allclose(q.max(axis=1), best.v, atol=1e-11 / (1 - gamma))


def test_without_self_loops_solves_each_action_for_its_state():
    mdp = from_P([[[(0.5, 0, 1.0, False), (0.5, 1, 3.0, False)]], [[(1.0, 1, 2.0, True)]]])
    for model in map(without, both(mdp)):
        weight, reward = table_of(model)
        assert reward[0, 0] == pytest.approx(2 / (1 - 0.45))
        assert weight[0, 0, 1] == pytest.approx(0.45 / (1 - 0.45))


def test_an_action_that_stays_for_ever_at_gamma_1_is_worth_nothing():
    mdp = from_P([[[(1.0, 0, -1.0, False)], [(0.1, 0, 0.0, False)] * 10, [(0.5, 0, 1.0, False), (0.5, 0, 1.0, True)]]])
    for model in (without(model, 1.0) for model in both(mdp, 1.0)):
        np.testing.assert_array_equal(q_of(model, np.zeros(1), 3), [[-np.inf, -np.inf, 2.0]])


def test_the_kernels_leave_the_model_they_are_given_alone():
    for model in both(book_5x5()):
        before = [np.array(part) for part in model]
        without(model)
        assert all(np.array_equal(x, y) for x, y in zip(before, map(np.array, model), strict=True))


def test_rules_and_their_expansion_are_the_same_model():
    ring = Rules(
        rule=np.zeros(6, np.int32),
        indptr=np.array([0, 1, 3]),
        offset=np.array([0, 0, 0], np.int32),
        prob=np.array([1.0, 0.25, 0.75]),
        reward=np.array([1.0, 2.0, -2.0]),
        terminated=np.array([False, False, True]),
    )
    weight, reward = table_of(stencil(ring, GAMMA))
    np.testing.assert_allclose(np.einsum("sas->sa", weight), [[0.9, 0.225]] * 6)
    np.testing.assert_allclose(reward, [[1.0, -1.0]] * 6)

"""The kernels against their plain twins to the last bit, against dense arithmetic, and the contraction theorem."""

import numpy as np
import pytest

from rlkit.tabular.bellman import (
    action_value,
    action_values,
    best_value,
    evaluate,
    gauss_seidel,
    greedy,
    jacobi,
    q_of,
    residual,
)
from rlkit.tabular.model import sparse, stencil
from tests.probes import dense, random_mdp
from tests.reference import plain_evaluate, plain_gauss_seidel, plain_greedy, plain_q, plain_sweep


def models(seed, count=40, gamma=0.9):
    """Random MDPs, each as rows and as a stencil, with a random v."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mdp = random_mdp(rng)
        v = rng.normal(size=mdp.n_states)
        for model in (sparse(mdp, gamma), stencil(mdp, gamma)):
            if model is not None:
                yield mdp, model, v


def swept(model, v):
    out = np.empty_like(v)
    jacobi(model, v, out)
    return out


def test_jacobi_equals_its_twin_to_the_last_bit():
    kinds = set()
    for _, model, v in models(0):
        np.testing.assert_array_equal(swept(model, v), plain_sweep(model, v))
        kinds.add(type(model).__name__)
    assert kinds == {"Sparse", "Stencil"}


def test_jacobi_equals_the_dense_formula():
    for mdp, model, v in models(1):
        P, r, _, _ = dense(mdp)
        np.testing.assert_allclose(swept(model, v), (r + 0.9 * P @ v).max(axis=1), atol=1e-14)


def test_jacobi_and_residual_return_the_extremes_of_the_change():
    for _, model, v in models(2):
        out = np.empty_like(v)
        low, high = jacobi(model, v, out)
        assert (low, high) == ((out - v).min(), (out - v).max())
        assert residual(model, v) == (low, high, np.abs(v).max())


def test_gauss_seidel_equals_its_twin_to_the_last_bit():
    rng = np.random.default_rng(3)
    for _, model, v in models(3):
        order = rng.permutation(model.n_states)
        expected = plain_gauss_seidel(model, v, order)
        gauss_seidel(model, v, order)
        np.testing.assert_array_equal(v, expected)


def test_action_values_equal_their_twin_and_the_dense_formula():
    for mdp, model, v in models(4):
        q = q_of(model, v, mdp.n_actions)
        twin = [[plain_q(model, v, s, a) for a in range(mdp.n_actions)] for s in range(mdp.n_states)]
        np.testing.assert_array_equal(q, twin)
        filled = np.empty_like(q)
        action_values(model, v, filled)
        np.testing.assert_array_equal(filled, q)
        P, r, _, _ = dense(mdp)
        np.testing.assert_allclose(q, r + 0.9 * P @ v, atol=1e-14)


def test_greedy_and_evaluate_equal_their_twins_to_the_last_bit():
    for _, model, v in models(5):
        policy = np.zeros(model.n_states, np.int64)
        changed = greedy(model, v, policy, -np.inf)
        np.testing.assert_array_equal(policy, plain_greedy(model, v))
        assert changed == np.count_nonzero(policy)
        out = np.empty_like(v)
        change = evaluate(model, policy, v, out)
        np.testing.assert_array_equal(out, plain_evaluate(model, policy, v))
        assert change == np.abs(out - v).max()


def test_greedy_with_a_margin_keeps_what_is_not_worse_by_more():
    rng = np.random.default_rng(6)
    for mdp, model, v in models(6):
        q = q_of(model, v, mdp.n_actions)
        before = rng.integers(mdp.n_actions, size=mdp.n_states)
        for margin in (0.0, 0.3):
            policy = before.copy()
            greedy(model, v, policy, margin)
            held = q[np.arange(len(q)), before]
            np.testing.assert_array_equal(policy, np.where(q.max(axis=1) > held + margin, q.argmax(axis=1), before))


def test_ties_go_to_the_lowest_action_or_stay():
    from rlkit.mdp import from_P

    model = sparse(from_P([[[(1.0, 0, r, False)] for r in (0.0, 1.0, 1.0)]]), 0.9)
    policy = np.array([0])
    assert greedy(model, np.zeros(1), policy, -np.inf) == 1
    assert policy[0] == 1
    policy[0] = 2
    assert greedy(model, np.zeros(1), policy, 0.0) == 0
    assert policy[0] == 2


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
def test_the_bellman_operator_is_a_contraction(gamma):
    rng = np.random.default_rng(7)
    for _, model, v in models(7, gamma=gamma):
        u = v + rng.normal(size=len(v)) * 10.0 ** rng.integers(-3, 3)
        distance = np.abs(swept(model, v) - swept(model, u)).max()
        assert distance <= gamma * np.abs(v - u).max() + 1e-12


def test_the_bellman_operator_is_monotone_and_moves_constants_by_gamma():
    rng = np.random.default_rng(8)
    for mdp, model, v in models(8):
        above = v + rng.random(len(v))
        assert (swept(model, above) >= swept(model, v)).all()
        if not mdp.terminated.any():
            np.testing.assert_allclose(swept(model, v + 3.0), swept(model, v) + 2.7, atol=1e-13)


def test_the_scalar_kernels_are_for_compiled_code():
    _, model, v = next(models(9))
    with pytest.raises(TypeError, match="compiled"):
        best_value(model, v, 0)
    with pytest.raises(TypeError, match="compiled"):
        action_value(model, v, 0, 0)

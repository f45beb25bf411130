"""Policy evaluation as a linear system, against dense matrices."""

import numpy as np

from rlkit.mdp import from_P
from rlkit.tabular.linear import ended_value, exact_value, policy_system, policy_value
from rlkit.tabular.model import sparse, stencil
from tests.probes import dense, random_mdp, small_grid


def cases(seed, gamma, count=60):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mdp = random_mdp(rng)
        policy = rng.integers(mdp.n_actions, size=mdp.n_states)
        P, r, _, _ = dense(mdp)
        state = np.arange(mdp.n_states)
        for model in (sparse(mdp, gamma), stencil(mdp, gamma)):
            if model is not None:
                yield model, policy, gamma * P[state, policy], r[state, policy]


def test_the_system_of_a_policy():
    for model, policy, P, r in cases(0, 0.9):
        transition, reward = policy_system(model, policy)
        np.testing.assert_allclose(transition.toarray(), P, atol=1e-15)
        np.testing.assert_allclose(reward, r, atol=1e-14)


def test_the_value_and_the_steps_of_a_policy():
    for model, policy, P, r in cases(1, 0.99):
        system = np.eye(len(r)) - P
        np.testing.assert_allclose(exact_value(model, policy), np.linalg.solve(system, r), atol=1e-10)
        steps = np.linalg.solve(system, np.ones(len(r)))
        np.testing.assert_allclose(ended_value(model, policy).steps, steps, atol=1e-10)


def test_a_policy_that_never_ends_has_no_value_at_gamma_1():
    stays = from_P([[[(1.0, 0, 1.0, False)]], [[(1.0, 1, 1.0, True)]]])
    for model in (sparse(stays, 1.0), stencil(stays, 1.0)):
        assert exact_value(model, np.zeros(2, np.int64)) is None
        assert ended_value(model, np.zeros(2, np.int64)) is None


def test_a_policy_that_ends_too_rarely_has_no_value_that_floats_can_tell():
    """Each state goes on with probability p, else back to the first: 1/p^n steps, and as many rewards of -1."""
    for n, told in ((8, True), (40, False)):
        chain = from_P([[[(0.1, min(s + 1, n - 1), -1.0, s == n - 1), (0.9, 0, -1.0, False)]] for s in range(n)])
        model, policy = sparse(chain, 1.0), np.zeros(n, np.int64)
        steps = sum(10.0**k for k in range(1, n + 1))
        assert (ended_value(model, policy) is not None) == told
        assert (policy_value(model, policy, 1.0) is not None) == told
        if told:
            np.testing.assert_allclose(policy_value(model, policy, 1.0)[0], -steps, rtol=1e-6)


def test_always_up_or_left_reaches_the_corner_in_as_many_steps_as_it_is_far():
    model = sparse(small_grid(), 1.0)
    row, col = np.divmod(np.arange(16), 4)
    policy = np.where(row > 0, 0, 3)
    far = row + col + 1 * (row + col == 0)  # the corner itself takes the one step that ends
    far = np.where(np.arange(16) == 15, 1, far)  # and so does the other one
    np.testing.assert_allclose(ended_value(model, policy).steps, far)
    np.testing.assert_allclose(exact_value(model, policy), np.where(np.isin(np.arange(16), (0, 15)), 0, -far))

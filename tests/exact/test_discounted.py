"""Discounted closed forms: numbers by hand, the books' tables, dense solves, autograd, finite differences, rollouts."""

import numpy as np
import pytest
import torch

from rlkit import exact
from rlkit.exact import chain as chain_module
from tests.probes import (
    DOWN,
    RIGHT,
    STAY,
    book_2x2,
    book_5x5,
    dense,
    random_mdp,
    random_policy,
    random_walk,
    reward_chain,
    small_grid,
)

GAMMAS = (0.0, 0.5, 0.9, 0.99, 0.9999)


def cases(n, seed=0, **kinds):
    rng = np.random.default_rng(seed)
    for i in range(n):
        mdp = random_mdp(rng, **kinds)
        yield mdp, random_policy(rng, mdp), GAMMAS[i % len(GAMMAS)]


def close(x, y, tolerance, scale=1.0):
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * max(1.0, scale))


@pytest.mark.parametrize(("first", "v0"), [(DOWN, 9.0), (RIGHT, 8.0), (None, 8.5)])
def test_the_books_2x2_world(first, v0):
    pi = np.zeros((4, 5))
    pi[0, [DOWN, RIGHT] if first is None else first] = 0.5 if first is None else 1.0
    pi[1, DOWN] = pi[2, RIGHT] = pi[3, STAY] = 1.0
    close(exact.value(book_2x2(), pi, 0.9), [v0, 10, 10, 10], 1e-12)


def test_action_values_of_the_book_by_hand():
    pi = exact.deterministic(book_2x2(), [RIGHT, DOWN, RIGHT, STAY])
    q = exact.action_value(book_2x2(), pi, 0.9)  # v = 8, 10, 10, 10
    close(q[0], [-1 + 0.9 * 8, -1 + 9, 0 + 9, -1 + 0.9 * 8, 0.9 * 8], 1e-12)
    close(exact.advantage(book_2x2(), pi, 0.9)[0], q[0] - 8.0, 1e-12)


def test_uniform_policy_on_the_books_5x5_world():
    assert exact.value(book_5x5(), np.full((25, 5), 0.2), 0.9).mean() == pytest.approx(-3.52, abs=5e-3)


def test_random_walk_of_sutton_and_barto():
    v = exact.value(random_walk(), np.full((5, 2), 0.5), 1.0)
    close(v, np.arange(1, 6) / 6, 1e-14)


def test_small_grid_of_sutton_and_barto():
    v = exact.value(small_grid(), np.full((16, 4), 0.25), 1.0)
    close(v.reshape(4, 4), [[0, -14, -20, -22], [-14, -18, -20, -20], [-20, -20, -18, -14], [-22, -20, -14, 0]], 1e-12)


def test_a_step_that_ends_the_episode_counts_its_reward_alone():
    mdp = reward_chain([[0.5]], [3.0])
    assert exact.value(mdp, [[1.0]], 0.8)[0] == pytest.approx(3 / (1 - 0.4))
    assert exact.value(mdp, [[1.0]], 1.0)[0] == pytest.approx(6.0)
    assert exact.discounted_occupancy(mdp, [[1.0]], 1.0)[0] == pytest.approx(2.0)


@pytest.mark.parametrize("limit", [10**9, 0])
def test_dense_solve_on_random_mdps(monkeypatch, limit):
    monkeypatch.setattr(chain_module, "DENSE", limit)  # the dense factorisation, then the sparse one
    for mdp, pi, gamma in cases(250):
        P, r, _, start = dense(mdp)
        P_pi, r_pi = np.einsum("sa,sat->st", pi, P), (pi * r).sum(axis=1)
        inverse = np.linalg.inv(np.eye(mdp.n_states) - gamma * P_pi)
        scale = np.abs(inverse).max()
        v, rho = inverse @ r_pi, start @ inverse
        close(exact.value(mdp, pi, gamma), v, 1e-11, scale)
        close(exact.action_value(mdp, pi, gamma), r + gamma * P @ v, 1e-11, scale)
        close(exact.advantage(mdp, pi, gamma), r + gamma * P @ v - v[:, None], 1e-11, scale)
        close(exact.discounted_occupancy(mdp, pi, gamma), rho, 1e-11, scale)
        close(exact.action_occupancy(mdp, pi, gamma), rho[:, None] * pi, 1e-11, scale)
        close(exact.objective(mdp, pi, gamma), start @ v, 1e-11, scale)


def test_bellman_equation_and_the_two_forms_of_the_objective():
    for mdp, pi, gamma in cases(100, seed=1):
        P, r, _, _ = dense(mdp)
        v = exact.value(mdp, pi, gamma)
        scale = np.abs(v).max()
        close((pi * (r + gamma * P @ v)).sum(axis=1), v, 1e-12, scale)
        close((pi * exact.action_value(mdp, pi, gamma)).sum(axis=1), v, 1e-12, scale)
        close((pi * exact.advantage(mdp, pi, gamma)).sum(axis=1), 0.0, 1e-12, scale)
        occupied = exact.action_occupancy(mdp, pi, gamma)
        close((occupied * r).sum(), exact.objective(mdp, pi, gamma), 1e-12, occupied.sum())


def test_occupancy_of_endless_chains_sums_to_the_horizon():
    for mdp, pi, gamma in cases(50, seed=2, ends=0.0):
        assert exact.discounted_occupancy(mdp, pi, gamma).sum() == pytest.approx(1 / (1 - gamma), rel=1e-10)


def softmax_objective(mdp, logits, gamma):
    """Autograd's road to the gradient: the objective as a differentiable linear solve."""
    P, r, _, start = (torch.tensor(x) for x in dense(mdp))
    pi = torch.softmax(logits, dim=1)
    P_pi, r_pi = torch.einsum("sa,sat->st", pi, P), (pi * r).sum(dim=1)
    return start @ torch.linalg.solve(torch.eye(mdp.n_states, dtype=torch.float64) - gamma * P_pi, r_pi)


def test_policy_gradient_agrees_with_autograd_through_the_linear_solve():
    rng = np.random.default_rng(3)
    for mdp, _, gamma in cases(250, seed=3):
        logits = torch.tensor(rng.normal(scale=2.0, size=(mdp.n_states, mdp.n_actions)), requires_grad=True)
        softmax_objective(mdp, logits, gamma).backward()
        pi = torch.softmax(logits, dim=1).detach().numpy()
        rho = exact.discounted_occupancy(mdp, pi, gamma)
        terms = rho.max() * np.abs(exact.value(mdp, pi, gamma)).max()  # up to 1e8; their differences make the gradient
        tolerance = 1e-10 if gamma <= 0.99 else 1e-14 * terms
        close(exact.policy_gradient(mdp, pi, gamma), logits.grad.numpy(), tolerance)


def test_direct_gradient_gives_any_parametrisation_by_the_chain_rule():
    rng = np.random.default_rng(4)
    for mdp, _, _ in cases(20, seed=4):
        P, r, _, start = (torch.tensor(x) for x in dense(mdp))
        pi = torch.tensor(random_policy(rng, mdp), requires_grad=True)
        P_pi, r_pi = torch.einsum("sa,sat->st", pi, P), (pi * r).sum(dim=1)
        (start @ torch.linalg.solve(torch.eye(mdp.n_states, dtype=torch.float64) - 0.9 * P_pi, r_pi)).backward()
        close(exact.direct_gradient(mdp, pi.detach().numpy(), 0.9), pi.grad.numpy(), 1e-10)


def test_policy_gradient_agrees_with_finite_differences():
    rng = np.random.default_rng(5)
    for mdp, _, _ in cases(10, seed=5):
        logits = rng.normal(size=(mdp.n_states, mdp.n_actions))

        def objective(x, mdp=mdp):
            weight = np.exp(x)
            return exact.objective(mdp, weight / weight.sum(axis=1, keepdims=True), 0.9)

        slope = np.zeros_like(logits)
        for index in np.ndindex(*logits.shape):
            step = np.zeros_like(logits)
            step[index] = 1e-5
            slope[index] = (objective(logits + step) - objective(logits - step)) / 2e-5
        weight = np.exp(logits)
        gradient = exact.policy_gradient(mdp, weight / weight.sum(axis=1, keepdims=True), 0.9)
        close(gradient, slope, 1e-7)
        close(gradient.sum(axis=1), 0.0, 1e-12)


def rollouts(mdp, pi, gamma, rng, n):
    """Discounted returns of n sampled episodes, a state and outcome drawn as an environment would."""
    returns = np.zeros(n)
    for i in range(n):
        s, discount = int(np.searchsorted(mdp.start_cdf, rng.random(), side="right")), 1.0
        while discount > 1e-4:
            row = s * mdp.n_actions + rng.choice(mdp.n_actions, p=pi[s])
            low, high = mdp.indptr[row], mdp.indptr[row + 1]
            k = low + int(np.searchsorted(mdp.cdf[low:high], rng.random(), side="right"))
            returns[i] += discount * mdp.reward[k]
            if mdp.terminated[k]:
                break
            s, discount = int(mdp.next_state[k]), discount * gamma
    return returns


def test_objective_lies_in_the_interval_of_sampled_returns():
    """Mean of 4000 returns, five fixed worlds, 4 standard errors: a false alarm once in 3000 choices of the seed."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        mdp = random_mdp(rng, ends=0.3)
        pi = random_policy(rng, mdp)
        returns = rollouts(mdp, pi, 0.8, rng, 4000)
        error = 4 * returns.std() / np.sqrt(len(returns)) + 1e-3
        assert abs(returns.mean() - exact.objective(mdp, pi, 0.8)) < error


def test_gamma_1_refuses_a_policy_that_may_go_on_for_ever():
    mdp = reward_chain([[0.0, 0.5, 0.5], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="never ends the episode once it is in state 2"):
        exact.value(mdp, np.ones((3, 1)), 1.0)


def test_gamma_1_is_nan_only_where_no_episode_comes():
    mdp = reward_chain([[0.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.5, 0.0, 0.5]], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0])
    looped = reward_chain([[0.0, 1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0])
    pi = np.ones((3, 1))
    close(exact.value(mdp, pi, 1.0), [3.0, 2.0, 5.0], 1e-14)
    np.testing.assert_array_equal(exact.value(looped, pi, 1.0), [3.0, 2.0, np.nan])
    assert exact.objective(looped, pi, 1.0) == 3.0
    np.testing.assert_array_equal(exact.discounted_occupancy(looped, pi, 1.0), [1.0, 2.0, 0.0])
    np.testing.assert_array_equal(exact.policy_gradient(looped, pi, 1.0), np.zeros((3, 1)))
    np.testing.assert_array_equal(exact.direct_gradient(looped, pi, 1.0), [[3.0], [4.0], [0.0]])


def test_gamma_1_is_the_limit_of_gamma():
    for mdp, _, _ in cases(40, seed=6, ends=1.0):
        pi = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)
        try:
            v = exact.value(mdp, pi, 1.0)
        except ValueError:
            continue
        sure = ~np.isnan(v)
        close(v[sure], exact.value(mdp, pi, 1 - 1e-9)[sure], 1e-5)


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan")])
def test_gamma_outside_the_unit_interval(gamma):
    with pytest.raises(ValueError, match=r"gamma is .*; it must lie in \[0, 1\]"):
        exact.value(random_walk(), np.full((5, 2), 0.5), gamma)


def test_what_is_not_a_policy_is_named():
    pi = np.full((5, 2), 0.5)
    with pytest.raises(ValueError, match=r"pi has shape \(5, 3\); the MDP asks for \(5, 2\)"):
        exact.value(random_walk(), np.ones((5, 3)) / 3, 0.9)
    pi[3] = [0.5, 0.4]
    with pytest.raises(ValueError, match=r"pi\[3\] sums to 0.9"):
        exact.value(random_walk(), pi, 0.9)
    pi[3] = [1.5, -0.5]
    with pytest.raises(ValueError, match=r"pi\[3\] .*minimum -0.5"):
        exact.value(random_walk(), pi, 0.9)
    pi[3] = np.nan
    with pytest.raises(ValueError, match=r"pi\[3\]"):
        exact.value(random_walk(), pi, 0.9)


def test_deterministic_policies():
    np.testing.assert_array_equal(exact.deterministic(random_walk(3), [0, 1, 0]), [[1, 0], [0, 1], [1, 0]])
    with pytest.raises(ValueError, match=r"actions\[1\] is 2; actions are 0 .. 1"):
        exact.deterministic(random_walk(3), [0, 2, 0])
    with pytest.raises(ValueError, match="there are 3 states"):
        exact.deterministic(random_walk(3), [0, 1])

"""Long-run closed forms: chains by hand, the limiting matrix of random multichain MDPs, power iteration, rollouts."""

import numpy as np
import pytest

from rlkit import exact
from rlkit.exact import chain as chain_module
from tests.probes import dense, random_mdp, random_policy, random_walk, reward_chain, small_grid


def close(x, y, tolerance):
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance)


def alone(mdp):
    return np.ones((mdp.n_states, 1))


def uniform(mdp):
    return np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)


def test_two_states_by_hand():
    mdp = reward_chain([[0.9, 0.1], [0.2, 0.8]], [1.0, 0.0])
    close(exact.stationary_distribution(mdp, alone(mdp)), [2 / 3, 1 / 3], 1e-15)
    close(exact.average_reward(mdp, alone(mdp)), [2 / 3, 2 / 3], 1e-15)
    close(exact.bias(mdp, alone(mdp)), [10 / 9, -20 / 9], 1e-14)


def test_ring_of_sutton_and_barto():
    """Exercise 10.7: three states in a ring, +1 on arrival at A; differential values -1/3, 0, 1/3."""
    mdp = reward_chain([[0, 1, 0], [0, 0, 1], [1, 0, 0]], [0.0, 0.0, 1.0])
    close(exact.stationary_distribution(mdp, alone(mdp)), np.full(3, 1 / 3), 1e-15)
    close(exact.average_reward(mdp, alone(mdp)), np.full(3, 1 / 3), 1e-15)
    close(exact.bias(mdp, alone(mdp)), [-1 / 3, 0, 1 / 3], 1e-15)
    close(exact.differential_action_value(mdp, alone(mdp))[:, 0], [-1 / 3, 0, 1 / 3], 1e-15)


def test_two_classes_and_a_transient_state_by_hand():
    """0 goes to the loop {1} with .3 and to the pair {2, 3}, which swaps for ever, with .7."""
    mdp = reward_chain(
        [[0, 0.3, 0.7, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], [5.0, 2.0, 4.0, 0.0], [0.5, 0, 0, 0.5]
    )
    close(exact.stationary_distribution(mdp, alone(mdp)), [0, 0.15, 0.425, 0.425], 1e-15)
    close(exact.average_reward(mdp, alone(mdp)), [2, 2, 2, 2], 1e-15)
    close(exact.bias(mdp, alone(mdp)), [5 - 2 + 0.7, 0, 1, -1], 1e-15)
    richer = reward_chain([[0, 0.3, 0.7, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], [5.0, 12.0, 4.0, 0.0])
    close(exact.average_reward(richer, alone(richer)), [0.3 * 12 + 0.7 * 2, 12, 2, 2], 1e-15)
    close(exact.bias(richer, alone(richer)), [0.7, 0, 1, -1], 1e-15)  # 5 - g(0) = 0


def test_what_ends_earns_nothing_more():
    mdp = small_grid()
    close(exact.average_reward(mdp, uniform(mdp)), np.zeros(16), 0)
    close(exact.bias(mdp, uniform(mdp)), exact.value(mdp, uniform(mdp), 1.0), 1e-12)


def test_episodes_that_restart_by_hand():
    """The symmetric walk from the middle of five takes 9 steps on average and wins half the time."""
    mdp = random_walk()._replace(start_cdf=np.cumsum([0.0, 0, 1, 0, 0]))
    close(exact.stationary_distribution(mdp, uniform(mdp), restart=True), np.array([1, 2, 3, 2, 1]) / 9, 1e-15)
    close(exact.average_reward(mdp, uniform(mdp), restart=True), np.full(5, 0.5 / 9), 1e-15)


def test_an_episodic_policy_has_no_stationary_distribution_unless_episodes_restart():
    with pytest.raises(ValueError, match=r"may end the episode in state 0.*restart=True"):
        exact.stationary_distribution(random_walk(), np.full((5, 2), 0.5))
    with pytest.raises(ValueError, match=r"pi\[0\] sums to 2"):
        exact.average_reward(random_walk(), np.ones((5, 2)))


def closed(mdp, pi, *, restart):
    """Dense P_pi and r_pi with a last, absorbing state for what has ended, or with restarts."""
    P, r, ends, start = dense(mdp)
    n = mdp.n_states
    full = np.zeros((n + 1, n + 1))
    full[:n, :n] = np.einsum("sa,sat->st", pi, P)
    full[:n, n] = (pi * ends).sum(axis=1)
    full[n, n] = 1.0
    if restart:
        full = full[:n, :n] + full[:n, n:] * start
    return full, np.append((pi * r).sum(axis=1), [] if restart else [0.0]), start


def limiting_matrix(P):
    """P* by squaring the lazy chain (I + P) / 2, which has the same limit and no period, 60 times."""
    lazy = (np.eye(len(P)) + P) / 2
    for _ in range(60):
        lazy = lazy @ lazy
        lazy /= lazy.sum(axis=1, keepdims=True)
    return lazy


def worlds(n, seed):
    rng = np.random.default_rng(seed)
    for i in range(n):
        mdp = random_mdp(rng, ends=(0.0, 0.1)[i % 2], cycles=(0.3, 0.9)[i // 2 % 2])
        yield mdp, random_policy(rng, mdp, zeros=0.5), i % 3 == 0


@pytest.mark.parametrize("limit", [10**9, 0])
def test_gain_and_bias_of_random_multichain_mdps(monkeypatch, limit):
    """Against Puterman's deviation matrix (appendix A): g = P* r, h = (I - P + P*)^-1 (I - P*) r."""
    monkeypatch.setattr(chain_module, "DENSE", limit)
    for mdp, pi, restart in worlds(300, seed=0):
        P, r, start = closed(mdp, pi, restart=restart)
        limit_P = limiting_matrix(P)
        fundamental = np.linalg.inv(np.eye(len(P)) - P + limit_P)
        tolerance = 1e-10 * max(1.0, np.abs(fundamental).max()) ** 2
        g, h = limit_P @ r, fundamental @ (r - limit_P @ r)
        n = mdp.n_states
        gain, bias = (f(mdp, pi, restart=restart) for f in (exact.average_reward, exact.bias))
        close(gain, g[:n], tolerance)
        close(bias, h[:n], tolerance)
        close(gain + bias, (r + P @ np.append(bias, np.zeros(len(P) - n)))[:n], tolerance)
        close(limit_P[:n, :n] @ bias, 0.0, tolerance)
        d = np.append(start, np.zeros(len(P) - n)) @ limit_P
        if len(P) == n or d[n] < 1e-9:
            stationary = exact.stationary_distribution(mdp, pi, restart=restart)
            close(stationary, d[:n], tolerance)
            close(stationary @ P[:n, :n], stationary, 1e-12)
            assert stationary.sum() == pytest.approx(1.0, abs=1e-12)


def test_gain_and_bias_are_what_discounting_tends_to():
    """(1 - gamma) v -> g and v - g / (1 - gamma) -> h, Puterman theorem 8.2.3."""
    for mdp, pi, _ in worlds(60, seed=1):
        gamma = 1 - 2.0**-20  # exact in binary, so that 1 - gamma is
        v = exact.value(mdp, pi, gamma)
        g, h = exact.average_reward(mdp, pi), exact.bias(mdp, pi)
        close((1 - gamma) * v, g, 1e-3)
        close(v - g / (1 - gamma), h, 1e-3 + 1e-5 * np.abs(h).max() ** 2)


def test_differential_action_value_averages_to_the_bias():
    for mdp, pi, restart in worlds(60, seed=2):
        P, r, ends, start = dense(mdp)
        q = exact.differential_action_value(mdp, pi, restart=restart)
        g, h = exact.average_reward(mdp, pi, restart=restart), exact.bias(mdp, pi, restart=restart)
        onward = P @ h + (ends * (start @ h) if restart else 0.0)
        close(q, r - g[:, None] + onward, 1e-11 * max(1.0, np.abs(h).max()))
        close((pi * q).sum(axis=1), h, 1e-9 * max(1.0, np.abs(h).max()))


def test_average_reward_gradient_agrees_with_finite_differences():
    for mdp, pi, restart in worlds(30, seed=3):
        start = dense(mdp).start

        def objective(x, mdp=mdp, pi=pi, restart=restart, start=start):
            weight = pi * np.exp(x)
            return start @ exact.average_reward(mdp, weight / weight.sum(axis=1, keepdims=True), restart=restart)

        gradient = exact.average_reward_gradient(mdp, pi, restart=restart)
        for index in np.ndindex(*pi.shape):
            step = np.zeros_like(pi)
            step[index] = 1e-5
            close(gradient[index], (objective(step) - objective(-step)) / 2e-5, 1e-6)


def test_average_reward_gradient_is_what_the_discounted_one_tends_to():
    for mdp, pi, _ in worlds(60, seed=4):
        gradient = exact.average_reward_gradient(mdp, pi)
        close(gradient, 1e-6 * exact.policy_gradient(mdp, pi, 1 - 1e-6), 1e-3 * max(1.0, np.abs(gradient).max()))


def test_long_rollout_visits_as_the_stationary_distribution_says():
    """20 000 episodes of 40 steps from three seeds; the mean occupation of steps 20 .. 40 within 5 standard errors."""
    P = [[0.5, 0.5, 0], [0.1, 0.6, 0.3], [0.4, 0, 0.6]]
    mdp = reward_chain(P, [1.0, 0.0, 2.0])
    d = exact.stationary_distribution(mdp, alone(mdp))
    cdf = np.cumsum(P, axis=1)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        s = rng.integers(3, size=20_000)
        visits = np.zeros((20_000, 3))
        for t in range(40):
            visits[np.arange(20_000), s] += (t >= 20) / 20
            s = (cdf[s] <= rng.random((20_000, 1))).sum(axis=1)
        assert np.all(np.abs(visits.mean(axis=0) - d) < 5 * visits.std(axis=0) / np.sqrt(20_000))

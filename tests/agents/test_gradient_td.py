"""Gradient TD: a slow reference, TD-Linear on-policy, the off-policy fixed point, and Baird's counterexample."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit import exact
from rlkit.exact.projection import td_fixed_point
from tests.follow import Uniform, features, follow, world

METHODS = ["tdc", "gtd2", "semi-gradient"]
DASHED = [(1 / 6, s, 0.0, False) for s in range(6)]
SOLID = [(1.0, 6, 0.0, False)]


def baird(s):
    """S&B figure 11.1: 2 w_s + w_8 in the upper six states, w_7 + 2 w_8 in the lower one."""
    x = np.zeros(8)
    x[s] = 1.0 if s == 6 else 2.0
    x[7] = 2.0 if s == 6 else 1.0
    return x


def run_baird(method, steps, **config):
    mdp = rlkit.from_P([[DASHED, SOLID]] * 7)
    policies = {"policy": (1,) * 7, "behaviour": ((6 / 7, 1 / 7),) * 7}
    agent = rlkit.make("gradient_td", mdp, features=baird, gamma=0.99, method=method, seeds=5, **policies, **config)
    for memory in agent.memories:
        memory.weights.w[...] = [1, 1, 1, 1, 1, 1, 10, 1]
    return agent, list(agent.updates(steps))


def test_semi_gradient_diverges_on_bairds_counterexample():
    agent, reports = run_baird("semi-gradient", 1000, alpha=0.01)
    assert (agent.each["rmse"] > 100).all()
    assert reports[-1].scalars["diverged"] == 0.0
    _, reports = run_baird("semi-gradient", 1_000_000, alpha=0.01)
    assert reports[-1].scalars["diverged"] == 1.0
    assert reports[-1].scalars["rmse"] == np.inf


@pytest.mark.parametrize("method", ["tdc", "gtd2"])
def test_gradient_methods_do_not(method):
    """The projected Bellman error falls quickly, the values go to zero slowly (S&B figure 11.5)."""
    errors = []
    for steps in (1000, 300_000, 3_000_000):
        agent, reports = run_baird(method, steps, alpha=0.005, beta=0.05)
        assert max(report.scalars["rmse"] for report in reports) < 10.0
        errors.append(agent.each["rmse"].max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1.5


class Reference(Uniform):
    def __init__(self, phi, pi, method):
        super().__init__(phi, pi.shape[1])
        self.pi, self.method, self.u = pi, method, np.zeros(phi.shape[1])

    def update(self, step):
        rho, g = self.pi[step.s, step.a] * self.n_actions, 0.9 * (1 - step.terminated)
        x, y, u = self.phi[step.s], self.phi[step.s_next], self.u
        error = step.r + g * y @ self.w - x @ self.w
        if self.method == "gtd2":
            self.w = self.w + 0.02 * rho * (x - g * y) * (x @ u)
        else:
            self.w = self.w + 0.02 * rho * (error * x - (g * y * (x @ u) if self.method == "tdc" else 0.0))
        self.u = u + 0.07 * rho * (error - u @ x) * x


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["FrozenLake-v1", "GridWorld-v0"])
def test_it_equals_a_plain_loop(name, method):
    env = world(name)
    shape = int(env.observation_space.n), int(env.action_space.n)
    pi = np.random.default_rng(0).dirichlet(np.ones(shape[1]), size=shape[0])
    config = {"alpha": 0.02, "beta": 0.07, "policy": pi, "method": method, "features": "polynomial(2)"}
    agent = rlkit.make("gradient_td", env, seed=3, **config)
    list(agent.updates(2000))
    wanted = follow(name, 3, 2000, Reference(features(agent), pi, method))
    assert np.allclose(agent.memories[0].weights.w, wanted.w, rtol=1e-9, atol=1e-12)


def test_on_policy_the_semi_gradient_is_td_linear():
    config = {"features": "fourier(2)", "alpha": 0.05}
    one = rlkit.make("gradient_td", world("FrozenLake-v1"), method="semi-gradient", **config)
    other = rlkit.make("td_linear", world("FrozenLake-v1"), **config)
    for agent in (one, other):
        list(agent.updates(3000))
    assert np.array_equal(one.values, other.values)


@pytest.mark.parametrize("method", ["tdc", "gtd2"])
def test_off_policy_it_goes_to_the_fixed_point_under_the_behaviours_distribution(method):
    env = gym.make("GridWorld-v0")
    mdp, behaviour = rlkit.from_env(env), np.full((25, 5), 0.2)
    pi = np.tile([0.1, 0.3, 0.3, 0.2, 0.1], (25, 1))
    config = {"alpha": "10/(k+1000)^0.75", "beta": "10/(k+1000)^0.7", "features": "polynomial(1)"}
    agent = rlkit.make("gradient_td", env, policy=pi, method=method, seeds=10, report=2_000_000, **config)
    phi = features(agent)
    w = td_fixed_point(mdp, pi, 0.9, phi, exact.stationary_distribution(mdp, behaviour))
    list(agent.updates(2_000_000))
    off = np.array([memory.weights.w for memory in agent.memories]) - w
    assert np.abs(w).max() > 1.0
    assert np.abs(off).max() < 0.2, (w, off.mean(axis=0), off.std(axis=0))


def test_what_behaviour_never_does_cannot_be_learned():
    with pytest.raises(ValueError, match="policy takes action 1 in state 0, which behaviour never does"):
        rlkit.make("gradient_td", "FrozenLake-v1", behaviour=(0,) * 16)
    with pytest.raises(ValueError, match="method is 'gtd'"):
        rlkit.make("gradient_td", "FrozenLake-v1", method="gtd")
    with pytest.raises(ValueError, match=r"beta is 2\.0"):
        rlkit.make("gradient_td", "FrozenLake-v1", beta=2.0)

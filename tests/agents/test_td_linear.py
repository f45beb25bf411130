"""TD-Linear: a slow reference, TD(0) with one-hot features, the exact fixed point, divergence that does not crash."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.exact.projection import td_fixed_point
from tests.follow import Uniform, features, follow, world


class Reference(Uniform):
    def update(self, step):
        error = step.r + 0.9 * (1 - step.terminated) * self.phi[step.s_next] @ self.w - self.phi[step.s] @ self.w
        self.w += 0.05 * error * self.phi[step.s]


@pytest.mark.parametrize("name", ["GridWorld-v0", "FrozenLake-v1"])
@pytest.mark.parametrize("text", ["polynomial(2)", "fourier(2)", "tiles(4, 3)", "tiles(4, 3, hash=20)", "rbf(3)"])
def test_it_equals_a_plain_loop(name, text):
    agent = rlkit.make("td_linear", world(name), features=text, alpha=0.05, seed=3)
    list(agent.updates(2000))
    phi = features(agent)
    wanted = follow(name, 3, 2000, Reference(phi, agent.setting.n_actions))
    assert np.allclose(agent.memories[0].w, wanted.w, rtol=1e-10, atol=1e-12)
    assert np.allclose(agent.values, phi @ wanted.w, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("initial", [0.0, 2.5])
@pytest.mark.parametrize("name", ["GridWorld-v0", "FrozenLake-v1", "Taxi-v4"])
def test_one_hot_features_make_it_td0(name, initial):
    config = {"alpha": "1/(k+10)^0.6", "seed": 2, "initial": initial}
    linear, table = (rlkit.make(one, world(name), **config) for one in ("td_linear", "td0"))
    for agent in (linear, table):
        list(agent.updates(5000))
    assert np.array_equal(linear.values, table.values)


@pytest.mark.parametrize(
    ("text", "alpha"),
    [(text, "1/(k+100)^0.7") for text in ("polynomial(1)", "polynomial(2)", "fourier(2)")]
    + [("aggregate(3)", "10/(k+1000)^0.7")],
)
def test_it_goes_to_the_fixed_point(text, alpha):
    env = gym.make("GridWorld-v0")
    agent = rlkit.make("td_linear", env, features=text, alpha=alpha, seeds=20, report=500_000)
    phi, mdp = features(agent), rlkit.from_env(env)
    w = td_fixed_point(mdp, np.full((25, 5), 0.2), 0.9, phi)
    list(agent.updates(500_000))
    off = np.array([memory.w for memory in agent.memories]) - w
    assert np.abs(off).max() < 0.15
    assert np.abs(off.mean(axis=0) / (off.std(axis=0) / np.sqrt(20))).max() < 4.5
    error = np.sqrt(np.mean((phi @ w - rlkit.exact.value(mdp, np.full((25, 5), 0.2), 0.9)) ** 2))
    assert agent.each["rmse"].mean() == pytest.approx(error, abs=0.01)


@pytest.mark.parametrize("text", ["polynomial(2)", "tiles(8, 4)", "aggregate(2)", "one-hot"])
def test_it_starts_from_the_initial_value_everywhere(text):
    assert np.allclose(rlkit.make("td_linear", "GridWorld-v0", features=text, initial=3.0).values, 3.0)
    with pytest.raises(ValueError, match=r"initial is 3\.0; with these features"):
        rlkit.make("td_linear", "GridWorld-v0", features="rbf(3)", initial=3.0)


def test_divergence_is_reported():
    agent = rlkit.make("td_linear", "GridWorld-v0", features=lambda s: [1.0, 100.0 * s], alpha=1.0)
    first, *_, last = agent.updates(10_000)
    assert last.scalars["diverged"] == 1.0
    assert last.scalars["rmse"] == np.inf
    assert first.scalars["rmse"] > 1.0


def test_it_values_the_uniform_policy_of_a_box():
    agent = rlkit.make("td_linear", "MountainCar-v0", gamma=0.9, features="tiles(4, 4)")
    list(agent.updates(3000))
    agent.act(np.array([-0.5, 0.0], np.float32))
    assert agent.values[2] == pytest.approx(-10.0, abs=0.5)  # -1 a step, and no end in sight
    with pytest.raises(ValueError, match="infinitely many states"):
        rlkit.make("td_linear", "MountainCar-v0", policy="optimal")

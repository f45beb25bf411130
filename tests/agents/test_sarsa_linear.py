"""Sarsa(λ) with linear values: slow references, Sarsa(λ) of tables with one-hot features, and mountain car."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from tests.follow import Greedy, features, follow, world


class Reference(Greedy):
    lam, kind = 0.8, "accumulating"

    def start(self):
        self.z, self.old = np.zeros_like(self.w), 0.0

    def update(self, step):
        x, now, ahead = self.phi[step.s], self.q(step.s)[step.a], self.q(step.s_next)[step.a_next]
        error = step.r + 0.9 * (1 - step.terminated) * ahead - now
        self.z *= 0.9 * self.lam
        if self.kind == "accumulating":
            self.z[step.a] += x
        elif self.kind == "replacing":
            self.z[step.a] = np.where(x != 0, x, self.z[step.a])
        else:  # S&B, the pseudocode of true online Sarsa(λ) in section 12.7
            self.z[step.a] += (1 - 0.05 * self.z[step.a] @ x) * x
            self.w += 0.05 * (now - self.old) * self.z
            self.w[step.a] -= 0.05 * (now - self.old) * x
            self.old = ahead
        self.w += 0.05 * error * self.z


@pytest.mark.parametrize("kind", ["accumulating", "replacing", "dutch"])
@pytest.mark.parametrize("text", ["tiles(2, 2)", "tiles(4, 9)", "fourier(2)"])
@pytest.mark.parametrize("lam", [0.0, 0.8])
def test_it_equals_a_plain_loop(text, kind, lam):
    if kind == "replacing" and text == "fourier(2)":
        return
    config = {"alpha": 0.05, "epsilon": 0.3, "traces": kind, "lam": lam, "seed": 6, "features": text}
    agent = rlkit.make("sarsa_linear", world("FrozenLake-v1"), **config)
    list(agent.updates(1000))
    reference = Reference(features(agent), 4, 0.3)
    reference.kind, reference.lam = kind, lam
    wanted = follow("FrozenLake-v1", 6, 1000, reference)
    assert np.allclose(agent.memories[0].weights.w, wanted.w, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ["GridWorld-v0", "FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_one_hot_features_make_it_sarsa(name):
    linear, table = (rlkit.make(one, world(name), seed=2, alpha=0.1) for one in ("sarsa_linear", "sarsa"))
    for agent in (linear, table):
        list(agent.updates(5000))
    assert np.array_equal(linear.values, table.values)


@pytest.mark.parametrize("kind", ["accumulating", "replacing", "dutch"])
@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4"])
def test_one_hot_features_make_it_sarsa_lambda(name, kind):
    linear, table = (
        rlkit.make(one, world(name), seed=2, alpha=0.1, lam=0.7, traces=kind)
        for one in ("sarsa_linear", "sarsa_lambda")
    )
    for agent in (linear, table):
        list(agent.updates(2000))
    assert np.allclose(linear.values, table.values, rtol=1e-10, atol=1e-13)


def test_defaults_find_an_optimal_policy_of_the_book():
    env = gym.make("GridWorld-v0", max_episode_steps=20)
    agent = rlkit.make("sarsa_linear", env, seeds=20, report=8_000_000)
    *_, last = agent.updates(8_000_000)
    assert agent.each["optimal"].sum() >= 19, last


@pytest.mark.parametrize(
    ("lam", "traces", "alpha"), [(0.0, "accumulating", 0.5), (0.9, "replacing", 0.3), (0.9, "dutch", 0.3)]
)
def test_mountain_car(lam, traces, alpha):
    """S&B example 10.1: within some tens of episodes it is out of the valley before the limit of 200 steps."""
    config = {"features": "tiles(8, 8x8)", "alpha": alpha / 8, "epsilon": 0.0, "gamma": 1.0, "seed": 1}
    agent = rlkit.make("sarsa_linear", "MountainCar-v0", lam=lam, traces=traces, **config)
    lengths = []
    for _ in agent.updates(20_000):
        lengths += agent.lengths[0].tolist()
    assert np.mean(lengths[80:]) < 175
    assert np.mean(rlkit.evaluate(agent, gym.make("MountainCar-v0"), 20).returns) > -180

"""LSTD: the recursion equals the batch solution, and goes to the fixed point much faster than TD."""

import gymnasium as gym
import numpy as np
import pytest

import rlkit
from rlkit.agents.lstd import weights
from rlkit.exact.projection import td_fixed_point
from tests.follow import Uniform, features, follow, world


class Batch(Uniform):
    def __init__(self, phi, n_actions, lam, ridge):
        super().__init__(phi, n_actions)
        self.lam, self.A, self.b = lam, ridge * np.eye(phi.shape[1]), np.zeros(phi.shape[1])

    def start(self):
        self.z = np.zeros_like(self.w)

    def update(self, step):
        self.z = 0.9 * self.lam * self.z + self.phi[step.s]
        self.A += np.outer(self.z, self.phi[step.s] - 0.9 * (1 - step.terminated) * self.phi[step.s_next])
        self.b += step.r * self.z


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("text", ["one-hot", "polynomial(2)", "tiles(3, 2)"])
@pytest.mark.parametrize("name", ["FrozenLake-v1", "GridWorld-v0"])
def test_the_recursion_equals_the_batch_solution(name, text, lam):
    agent = rlkit.make("lstd", world(name), features=text, lam=lam, ridge=0.1, seed=3)
    list(agent.updates(2000))
    batch = follow(name, 3, 2000, Batch(features(agent), agent.setting.n_actions, lam, 0.1))
    assert np.allclose(agent.memories[0].inverse @ batch.A, np.eye(len(batch.b)), atol=1e-7)
    assert np.allclose(weights(agent.memories[0]), np.linalg.solve(batch.A, batch.b), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("text", ["polynomial(2)", "fourier(2)"])
def test_it_goes_to_the_fixed_point(text):
    env = gym.make("GridWorld-v0")
    agent = rlkit.make("lstd", env, features=text, seeds=20, report=100_000)
    w = td_fixed_point(rlkit.from_env(env), np.full((25, 5), 0.2), 0.9, features(agent))
    list(agent.updates(100_000))
    off = np.array([weights(memory) for memory in agent.memories]) - w
    assert np.abs(off).max() < 0.25
    assert np.abs(off.mean(axis=0) / (off.std(axis=0) / np.sqrt(20))).max() < 4.5


def test_with_all_lambda_returns_one_hot_lstd_has_no_error_left():
    agent = rlkit.make("lstd", "FrozenLake-v1", seeds=10)
    list(agent.updates(200_000))
    assert agent.each["rmse"].mean() < 0.005


def test_bad_arguments_are_named():
    for config, message in (
        ({"lam": -0.1}, r"lam is -0\.1"),
        ({"ridge": 0.0}, r"ridge is 0\.0"),
        ({"features": "tiles(8, 100)"}, "features, whose matrix"),
    ):
        with pytest.raises(ValueError, match=message):
            rlkit.make("lstd", "GridWorld-v0", **config)

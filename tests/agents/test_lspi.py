"""LSPI: a batch solution in NumPy, optimal policies, and a chain that its paper uses."""

import numpy as np
import pytest

import rlkit
from rlkit.learning.data import collect
from rlkit.learning.fixed import learn_from
from tests.follow import Greedy, features, follow, world


class Batch(Greedy):
    every, buffer, steps = 200, 500, ()

    def update(self, step):
        self.steps = [*self.steps, step][-self.buffer :]
        self.count = getattr(self, "count", 0) + 1
        if self.count % self.every == 0:
            self.improve()

    def improve(self):
        n, d = self.w.shape
        for _ in range(20):
            A, b = 1e-3 * np.eye(n * d), np.zeros(n * d)
            for step in self.steps:
                x, y = np.zeros((n, d)), np.zeros((n, d))
                x[step.a] = self.phi[step.s]
                y[int(self.q(step.s_next).argmax())] = self.phi[step.s_next]
                A += np.outer(x, x - 0.9 * (1 - step.terminated) * y)
                b += step.r * x.ravel()
            before, self.w = self.w, np.linalg.solve(A, b).reshape(n, d)
            if np.abs(self.w - before).max() <= 1e-9 * np.abs(self.w).max():
                break


@pytest.mark.parametrize("text", ["polynomial(1)", "tiles(2, 2)"])
def test_it_equals_the_batch_solution(text):
    config = {"epsilon": 0.3, "every": 200, "buffer": 500, "ridge": 1e-3, "features": text, "seed": 6}
    agent = rlkit.make("lspi", world("FrozenLake-v1"), **config)
    list(agent.updates(1000))
    wanted = follow("FrozenLake-v1", 6, 1000, Batch(features(agent), 4, 0.3, choose_first=False))
    assert np.allclose(agent.memories[0].weights.w, wanted.w, rtol=1e-5, atol=1e-8)
    assert np.any(wanted.w != 0.0)


def test_it_finds_an_optimal_policy_with_its_defaults():
    agent = rlkit.make("lspi", "GridWorld-v0", seeds=20, report=10_000)
    list(agent.updates(10_000))
    assert agent.each["optimal"].sum() >= 19


def test_the_papers_chain():
    """Lagoudakis & Parr 2003, section 9.1: 20 states, 5 polynomial features, rewards at both ends; left, then right is best."""
    n = 20

    def row(s, a):
        moves = [(0.9, s + (1 if a else -1)), (0.1, s - (1 if a else -1))]
        return [(p, min(max(t, 0), n - 1), float(s in (0, n - 1)), False) for p, t in moves]

    mdp = rlkit.from_P([[row(s, a) for a in (0, 1)] for s in range(n)])
    agent = rlkit.make("lspi", mdp, features="polynomial(4)", seeds=20, report=10_000)
    list(agent.updates(10_000))
    assert (agent.each["regret"] < 0.05).sum() >= 19


def test_it_learns_from_data():
    agent = rlkit.make("lspi", "GridWorld-v0", every=5000, buffer=5000)
    assert np.all(agent.values == 0.0)
    list(learn_from(agent, collect("GridWorld-v0", steps=5000)))
    assert agent.each["optimal"].all()


def test_bad_arguments_are_named():
    for config, message in (
        ({"ridge": 0.0}, r"ridge is 0\.0"),
        ({"every": 0}, "every is 0"),
        ({"buffer": 0}, "buffer is 0"),
        ({"features": "tiles(8, 20)"}, "weights, whose matrix"),
    ):
        with pytest.raises(ValueError, match=message):
            rlkit.make("lspi", "GridWorld-v0", **config)

"""TD(λ) with linear values: a slow reference, TD(λ) of tables, TD(0) at λ = 0, and the online λ-return algorithm."""

import numpy as np
import pytest

import rlkit
from tests.follow import Uniform, features, follow, world

ALPHA, GAMMA = 0.05, 0.9


class Accumulating(Uniform):
    lam = 0.8

    def start(self):
        self.z = np.zeros_like(self.w)

    def update(self, step):
        error = step.r + GAMMA * (1 - step.terminated) * self.phi[step.s_next] @ self.w - self.phi[step.s] @ self.w
        self.z = GAMMA * self.lam * self.z + self.phi[step.s]
        self.w += ALPHA * error * self.z


class OnlineReturns(Uniform):
    """S&B section 12.4: with every step, the weights are worked out anew from the beginning of the episode."""

    lam = 0.8

    def start(self):
        self.states, self.rewards, self.first, self.history = [self.s0], [], self.w.copy(), [self.w.copy()]

    def update(self, step):
        self.states.append(step.s_next)
        self.rewards.append(step.r)
        h, w = len(self.rewards), self.first.copy()
        for t in range(h):
            x = self.phi[self.states[t]]
            w += ALPHA * (self.target(t, h, step.terminated) - x @ w) * x
        self.w = w
        self.history.append(w.copy())

    def target(self, t, h, terminated):
        total, past = 0.0, 0.0
        for n in range(1, h - t + 1):
            past += GAMMA ** (n - 1) * self.rewards[t + n - 1]
            ended = terminated and t + n == h
            ahead = 0.0 if ended else self.phi[self.states[t + n]] @ self.history[t + n - 1]
            weight = (1 - self.lam) * self.lam ** (n - 1) if t + n < h else self.lam ** (n - 1)
            total += weight * (past + GAMMA**n * ahead)
        return total


@pytest.mark.parametrize(("traces", "reference"), [("accumulating", Accumulating), ("dutch", OnlineReturns)])
@pytest.mark.parametrize("text", ["polynomial(2)", "tiles(4, 3)"])
@pytest.mark.parametrize("name", ["FrozenLake-v1", "GridWorld-v0"])
def test_it_equals_a_plain_loop(name, text, traces, reference):
    agent = rlkit.make(
        "td_linear_lambda", world(name), features=text, alpha=ALPHA, traces=traces, lam=0.8, seed=4, gamma=GAMMA
    )
    list(agent.updates(400))
    wanted = follow(name, 4, 400, reference(features(agent), agent.setting.n_actions))
    assert np.allclose(agent.memories[0].weights.w, wanted.w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("traces", ["accumulating", "replacing", "dutch"])
@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4"])
def test_one_hot_features_make_it_the_table(name, traces):
    linear, table = (
        rlkit.make(one, world(name), traces=traces, lam=0.7, seed=1, alpha=0.1)
        for one in ("td_linear_lambda", "td_lambda")
    )
    for agent in (linear, table):
        list(agent.updates(5000))
    assert np.allclose(linear.values, table.values, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("traces", ["accumulating", "dutch"])
@pytest.mark.parametrize("text", ["polynomial(2)", "tiles(4, 3)"])
def test_without_lambda_it_is_td_linear(text, traces):
    one = rlkit.make("td_linear_lambda", world("FrozenLake-v1"), features=text, traces=traces, lam=0.0)
    other = rlkit.make("td_linear", world("FrozenLake-v1"), features=text)
    for agent in (one, other):
        list(agent.updates(3000))
    assert np.allclose(one.values, other.values, rtol=1e-9, atol=1e-13)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"lam is 1\.5"):
        rlkit.make("td_linear_lambda", "GridWorld-v0", lam=1.5)
    with pytest.raises(ValueError, match="traces is 'clearing'"):
        rlkit.make("td_linear_lambda", "GridWorld-v0", traces="clearing")
    with pytest.raises(ValueError, match="traces is 'replacing', which is for features that are 0 or 1"):
        rlkit.make("td_linear_lambda", "GridWorld-v0", traces="replacing", features="polynomial(2)")

"""REINFORCE: its expected gradient is the exact one, with and without baseline; it learns CartPole and FrozenLake."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from rlkit import exact
from tests.agents.gradients import GAMMA, ascent, error, made


def world():
    return gym.make("GridWorld-Book3x3-v0", target="terminal", start="uniform", slip=0.1)


@pytest.mark.parametrize("baseline", [True, False])
def test_the_mean_gradient_is_the_exact_one(baseline):
    agent, mdp, pi = made("reinforce", world(), envs=2000, max_steps=60, weigh=True, baseline=baseline)
    rng = np.random.default_rng(0)
    samples = [ascent(agent.loss(agent.sampler.collect(rng)), agent) for _ in range(10)]
    truth = exact.policy_gradient(mdp, pi, GAMMA)
    spread = np.std(samples, axis=0, ddof=1) / np.sqrt(len(samples))
    assert error(np.mean(samples, axis=0), truth) < 0.08
    assert (np.abs(np.mean(samples, axis=0) - truth) < 6 * spread + 1e-4).all()


def test_a_good_baseline_lowers_the_variance():
    spreads = []
    for baseline in (True, False):
        agent, mdp, pi = made("reinforce", world(), envs=100, max_steps=100, weigh=True, baseline=baseline)
        if baseline:
            with torch.no_grad():
                agent.policy.critic[0].weight.copy_(torch.from_numpy(exact.value(mdp, pi, GAMMA)))
        rng = np.random.default_rng(0)
        samples = [ascent(agent.loss(agent.sampler.collect(rng)), agent) for _ in range(10)]
        spreads.append(np.std(samples, axis=0).sum())
    assert spreads[0] < 0.8 * spreads[1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_solves_cartpole_and_frozen_lake(seed):
    agent = rlkit.make("reinforce", "CartPole-v1", seed=seed)
    for _ in agent.updates(200_000):
        pass
    assert rlkit.evaluate(agent, "CartPole-v1", 32).mean >= 475
    lake = rlkit.make("reinforce", "FrozenLake-v1", seed=seed, hidden=(), lr=0.05, entropy=0.01)
    for _ in lake.updates(150_000):
        pass
    assert rlkit.evaluate(lake, "FrozenLake-v1", 500).mean > 0.68

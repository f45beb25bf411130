"""QAC: with the exact action values its gradient is the exact one; its critic goes to them; it learns FrozenLake."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from rlkit import exact
from tests.agents.gradients import GAMMA, along_states, ascent, error, made


def world():
    return gym.make("GridWorld-Book3x3-v0", slip=0.2)


def test_with_exact_values_the_mean_gradient_is_the_exact_one():
    agent, mdp, pi = made("qac", world(), envs=4000, segment=4, entropy=0.0)
    with torch.no_grad():
        agent.q[1][0].weight.copy_(torch.from_numpy(exact.action_value(mdp, pi, GAMMA).T))
        agent.q[1][0].bias.zero_()
    for _ in range(10):  # to where the states have their stationary distribution
        agent.segments.collect(4, agent.training.rng)
    samples = [ascent(agent.losses(agent.segments.collect(4, agent.training.rng))[0], agent) for _ in range(40)]
    truth = along_states(exact.stationary_distribution(mdp, pi), pi, mdp)
    assert error(np.mean(samples, axis=0), truth) < 0.07


@pytest.mark.parametrize("limit", [None, 7])
def test_the_critic_goes_to_the_action_values_whatever_cuts_the_episodes(limit):
    env = gym.make("GridWorld-Book3x3-v0", max_episode_steps=limit, start="uniform")
    config = {"lr": 0.0, "critic_lr": "linear(0.1, 0, 120000)", "max_grad_norm": 1e9}
    agent, mdp, pi = made("qac", env, envs=60, segment=5, **config)
    for _ in agent.updates(120_000):
        pass
    with torch.no_grad():
        found = agent.q(torch.arange(mdp.n_states)).numpy()
    truth = exact.action_value(mdp, pi, GAMMA)
    assert np.abs(found - truth).max() < 0.08 * np.ptp(truth)


def test_the_last_step_of_a_segment_has_the_expected_target():
    agent, mdp, pi = made("qac", world(), envs=6, segment=5)
    traj = agent.segments.collect(5, agent.training.rng)
    with torch.no_grad():
        q = agent.q(torch.arange(mdp.n_states)).double().numpy()
    ahead = agent._ahead(traj).numpy()
    last, inside = traj.next_obs[:, -1].numpy(), traj.next_obs[:, :-1].numpy()
    assert np.allclose(ahead[:, -1], (pi * q).sum(1)[last], atol=1e-5)
    assert np.allclose(ahead[:, :-1], q[inside, traj.actions[:, 1:].numpy()], atol=1e-5)


def test_other_actions_than_discrete_ones_are_refused():
    with pytest.raises(ValueError, match=r"Pendulum-v1 has actions Box.* take ppo"):
        rlkit.make("qac", "Pendulum-v1")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_learns_frozen_lake(seed):
    agent = rlkit.make("qac", "FrozenLake-v1", seed=seed, hidden=(), lr=0.01, critic_lr=0.03)
    for _ in agent.updates(200_000):
        pass
    assert rlkit.evaluate(agent, "FrozenLake-v1", 500).mean > 0.68

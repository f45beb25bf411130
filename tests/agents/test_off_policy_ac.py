"""The off-policy actor-critic: from another policy's actions its mean gradient is the exact one; it learns from uniform actions."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from rlkit import exact
from tests.agents.gradients import GAMMA, along_states, ascent, error, made


def world():
    return gym.make("GridWorld-Book3x3-v0", slip=0.2)


@pytest.mark.parametrize("epsilon", [1.0, 0.5])
def test_with_exact_values_the_mean_gradient_is_the_exact_one(epsilon):
    agent, mdp, pi = made("off_policy_ac", world(), envs=4000, segment=4, entropy=0.0, epsilon=epsilon)
    with torch.no_grad():
        agent.policy.critic[0].weight.copy_(torch.from_numpy(exact.value(mdp, pi, GAMMA)))
        agent.policy.critic[0].bias.zero_()
    for _ in range(10):  # to where the states have their stationary distribution
        agent.segments.collect(4, agent.training.rng)
    samples = [ascent(agent.loss(agent.segments.collect(4, agent.training.rng))[0], agent) for _ in range(20)]
    behaviour = (1 - epsilon) * pi + epsilon / mdp.n_actions
    truth = along_states(exact.stationary_distribution(mdp, behaviour), pi, mdp)
    assert error(np.mean(samples, axis=0), truth) < 0.06


def test_the_behaviour_says_how_likely_it_was():
    agent, mdp, pi = made("off_policy_ac", world(), envs=50, epsilon=0.3)
    traj = agent.segments.collect(8, agent.training.rng)
    behaviour = 0.7 * pi + 0.3 / mdp.n_actions
    assert np.allclose(traj.logprobs.exp().numpy(), behaviour[traj.obs.numpy(), traj.actions.numpy()], atol=1e-6)


def test_masked_actions_are_never_taken_and_the_rest_share_the_chance():
    class Forbidding(gym.Env):
        observation_space = gym.spaces.Discrete(2)
        action_space = gym.spaces.Discrete(3)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed, options=options)
            return 0, {"action_mask": np.array([1, 0, 1])}

        def step(self, action):
            assert action != 1
            return 1, 1.0, True, False, {"action_mask": np.array([1, 0, 1])}

    agent = rlkit.make("off_policy_ac", Forbidding(), epsilon=1.0)
    traj = agent.segments.collect(20, agent.training.rng)
    assert torch.allclose(traj.logprobs.exp(), torch.tensor(0.5))


def test_from_uniform_actions_it_learns_to_reach_the_target():
    env = gym.make("GridWorld-Book5x5-v0", r_boundary=-1.0, start="uniform", max_episode_steps=50)
    agent = rlkit.make("off_policy_ac", env, hidden=(), gamma=0.9, epsilon=1.0, lr=0.05, envs=64)
    for _ in agent.updates(150_000):
        pass
    assert rlkit.evaluate(agent, env, 50).mean > 40


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"epsilon is 1\.5; it must lie between 0 and 1"):
        rlkit.make("off_policy_ac", "CartPole-v1", epsilon=1.5)
    with pytest.raises(ValueError, match=r"Pendulum-v1 has actions Box.* take ppo"):
        rlkit.make("off_policy_ac", "Pendulum-v1")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_learns_frozen_lake_and_cartpole(seed):
    lake = rlkit.make("off_policy_ac", "FrozenLake-v1", seed=seed, epsilon=1.0)
    for _ in lake.updates(150_000):
        pass
    assert rlkit.evaluate(lake, "FrozenLake-v1", 500).mean > 0.68
    agent = rlkit.make("off_policy_ac", "CartPole-v1", seed=seed)
    for _ in agent.updates(150_000):
        pass
    assert rlkit.evaluate(agent, "CartPole-v1", 32).mean > 300

"""Running moments are those of everything seen at once, and rewards are scaled by the deviation of discounted returns."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from rlkit.policies.encoders import Eyes
from rlkit.sample.normalise import Moments, RewardScale


def test_moments_of_batches_are_those_of_all():
    rng = np.random.default_rng(0)
    numbers = rng.normal(1e6, 1e-2, (1000, 3))  # where a sum of squares would lose everything
    moments = Moments((3,))
    assert moments.std.tolist() == [1.0, 1.0, 1.0]
    for part in np.split(numbers, [1, 7, 400]):
        moments.update(part)
    np.testing.assert_allclose(moments.mean, numbers.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.std**2 - 1e-8, numbers.var(axis=0), rtol=1e-4)


def test_rewards_are_divided_by_the_deviation_of_returns():
    rng = np.random.default_rng(1)
    rewards, ends = rng.normal(size=(2, 50)), rng.random((2, 50)) < 0.1
    scale = RewardScale(2, 0.9)
    scaled = np.concatenate([scale(rewards[:, :20], ends[:, :20]), scale(rewards[:, 20:], ends[:, 20:])], 1)
    returns, running = [], np.zeros(2)
    for t in range(50):
        running = 0.9 * running + rewards[:, t]
        returns.append(running.copy())
        running[ends[:, t]] = 0.0
    deviation = np.sqrt(np.var(returns) + 1e-8)
    np.testing.assert_allclose(scaled[:, 20:], rewards[:, 20:] / deviation, rtol=1e-12)
    assert not np.allclose(scaled[:, :20], rewards[:, :20] / deviation)


def test_outliers_are_cut():
    scale = RewardScale(1, 0.0)
    assert scale(np.array([[1000.0] + [0.0] * 999]), np.zeros((1, 1000), bool))[0, 0] == 10.0


def test_a_state_comes_back_and_another_is_refused():
    scale, twin = RewardScale(2, 0.9), RewardScale(2, 0.9)
    numbers, ends = np.random.default_rng(2).normal(size=(2, 2, 5)), np.zeros((2, 5), bool)
    scale(numbers[0], ends)
    twin.load_state_dict(scale.state_dict())
    np.testing.assert_array_equal(scale(numbers[1], ends), twin(numbers[1], ends))
    with pytest.raises(ValueError, match=r"moments of shape \(\); here they are \(3,\)"):
        Moments((3,)).load_state_dict(scale.moments.state_dict())


@pytest.mark.parametrize("name", ["ddpg", "sac"])
def test_all_nets_of_an_agent_with_a_replay_standardise_alike_by_all_that_was_seen(name):
    config = {"warmup": 40, "batch": 8, "hidden": (8,), "envs": 2, "train_every": 20}
    agent = rlkit.make(name, "Pendulum-v1", seed=0, normalise_obs=True, **config)
    for _ in agent.updates(200):
        pass
    replay = agent.player.experience.replay
    seen = replay.state_dict()["obs"][:-1].reshape(-1, 3).astype(np.float64)  # all but what is acted on next
    assert len(seen) == 200
    slow = (agent.policy_target, agent.critics_target) if name == "ddpg" else (agent.target,)
    eyes = [
        part
        for net in (agent.policy, agent.critics, *(target.net for target in slow))
        for part in net.modules()
        if isinstance(part, Eyes)
    ]
    assert len(eyes) == (4 if name == "ddpg" else 5)
    for one in eyes:
        np.testing.assert_allclose(one.mean.numpy(), seen.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(1.0 / one.scale.numpy(), seen.std(axis=0), rtol=1e-4)


def test_a_world_in_other_units_is_the_same_to_an_agent_that_standardises():
    """Pendulum with its observations times 100 and plus 1000: the net sees the same numbers, up to rounding."""
    env = gym.make("Pendulum-v1")
    box = gym.spaces.Box(-2000.0, 2000.0, (3,), np.float64)
    other = gym.wrappers.TransformObservation(env, lambda obs: 100.0 * np.float64(obs) + 1000.0, box)
    config = {"warmup": 60, "batch": 8, "hidden": (8,), "vector": "sync"}
    agents = [rlkit.make("ddpg", world, seed=0, normalise_obs=True, **config) for world in (env, other)]
    for agent in agents:
        for _ in agent.updates(50):
            pass
    left, right = (agent.policy.eyes for agent in agents)
    obs = torch.tensor([[0.5, -0.5, 1.0]])
    torch.testing.assert_close(left(obs), right(100.0 * obs + 1000.0), atol=1e-3, rtol=1e-3)
    assert not torch.allclose(left(obs), obs, atol=0.1)

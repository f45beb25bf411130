"""QR-DQN: the target by hand; on a bandit it learns the quantiles of its rewards; bad fields are named."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from tests.bandits import CHOOSING, FORGETFUL, Forever, Once


def test_every_quantile_of_the_target_is_moved_by_hand():
    agent = rlkit.make("quantile_dqn", Forever(), seed=0, quantiles=3, **FORGETFUL)
    with torch.no_grad():
        agent.net.advantage[0].bias.copy_(
            torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 6.0])
        )  # action by action: means 0 and 3
        agent.target.net.advantage[0].bias.copy_(torch.tensor([8.0, 8.0, 8.0, 1.0, 3.0, 5.0]))
    for _ in agent.updates(40):
        pass
    outputs, target = agent._last[:2]
    torch.testing.assert_close(target, torch.tensor([1.0, 2.0, 3.0]).expand_as(target))  # 1/2 + θ' / 2 of action 1
    torch.testing.assert_close(agent.rule.surprise(outputs, target), 2.0 - outputs.mean(-1))


def test_it_learns_the_quantiles_of_a_reward():
    """Rewards 1, 2, 3 and 4 alike: the quantiles at 1/8, 3/8, 5/8 and 7/8 are just these."""
    env = Once(gym.spaces.Discrete(2), lambda a, rng: float(rng.integers(1, 5)) - 5.0 * a)
    agent = rlkit.make("quantile_dqn", env, seed=0, quantiles=4, kappa=0.0, lr="linear(0.1, 0, 4000)", **CHOOSING)
    for _ in agent.updates(4000):
        pass
    with torch.no_grad():
        found = agent.net.along(torch.ones(1, 1, 1), torch.zeros(1, 1, dtype=torch.bool))[0, 0]
    right = torch.tensor([1.0, 2.0, 3.0, 4.0])
    torch.testing.assert_close(found.sort(-1).values, torch.stack([right, right - 5.0]), atol=0.25, rtol=0.0)
    assert agent.act(np.ones(1, np.float32)) == 0


def test_bad_fields_are_named():
    with pytest.raises(ValueError, match="quantiles is 1; a distribution takes at least 2"):
        rlkit.make("quantile_dqn", "CartPole-v1", quantiles=1)
    with pytest.raises(ValueError, match=r"kappa is -1\.0; it must be at least 0"):
        rlkit.make("quantile_dqn", "CartPole-v1", kappa=-1.0)

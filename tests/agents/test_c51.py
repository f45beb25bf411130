"""C51: the projected target by hand; it learns how likely each return is; low and high are checked."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from tests.bandits import CHOOSING, FORGETFUL, Forever, Once


def test_the_target_is_the_projection_by_hand():
    """Atoms 0, 1, 2; of the better action 1/4, 1/2, 1/4. They move to 1/2, 1, 3/2: 1/8 stays at 0, 1/8 goes to 2, the rest to 1."""
    agent = rlkit.make("c51", Forever(), seed=0, atoms=3, low=0.0, high=2.0, **FORGETFUL)
    logits = torch.tensor([0.98, 0.01, 0.01, 0.25, 0.5, 0.25]).log()  # action by action
    for net in (agent.net, agent.target.net):
        with torch.no_grad():
            net.advantage[0].bias.copy_(logits)
    for _ in agent.updates(40):
        pass
    outputs, target = agent._last[:2]
    torch.testing.assert_close(target, torch.tensor([0.125, 0.75, 0.125]).expand_as(target))
    taken = torch.softmax(outputs[:, 0], -1)
    means = taken @ torch.tensor([0.0, 1.0, 2.0])
    assert sorted({round(x, 4) for x in means.tolist()}) == [0.03, 1.0]
    torch.testing.assert_close(agent.rule.surprise(outputs, target)[:, 0], 1.0 - means)


def test_it_learns_how_likely_each_return_is():
    env = Once(gym.spaces.Discrete(2), lambda a, rng: 2.0 * float(rng.random() < (0.75, 0.25)[a]))
    agent = rlkit.make("c51", env, seed=0, atoms=3, low=0.0, high=2.0, lr="linear(0.1, 0, 3000)", **CHOOSING)
    for _ in agent.updates(3000):
        pass
    with torch.no_grad():
        outputs = agent.net.along(torch.ones(1, 1, 1), torch.zeros(1, 1, dtype=torch.bool))[0, 0]
    found = torch.softmax(outputs, -1)
    torch.testing.assert_close(found, torch.tensor([[0.25, 0.0, 0.75], [0.75, 0.0, 0.25]]), atol=0.06, rtol=0.0)
    assert agent.act(np.ones(1, np.float32)) == 0


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, -2.0), (0.0, float("inf"))])
def test_bounds_that_are_none_are_refused(low, high):
    with pytest.raises(ValueError, match=rf"low is {low} and high {high}"):
        rlkit.make("c51", "CartPole-v1", low=low, high=high)

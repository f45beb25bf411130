"""Nets of off-policy agents: densities, bounds, dueling, random actions, masks, target nets."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

from rlkit.policies.adam import Adam
from rlkit.policies.continuous import Critics, Deterministic, Squashed
from rlkit.policies.q_networks import QNetwork
from rlkit.policies.senses import Senses
from rlkit.policies.soft import Chooser
from rlkit.policies.target import Target

SENSES = Senses(gym.spaces.Box(-1.0, 1.0, (3,)))
NUMBERS = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 10.0], np.float32))


def rng():
    return np.random.default_rng(0)


def test_the_density_of_squashed_actions_is_that_of_a_change_of_variables():
    policy = Squashed(SENSES, NUMBERS, (8,), "relu", generator=rng()).double()
    obs, draws = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    actions, logprobs = policy.sample(obs, draws)
    unit = policy.range.unit(actions)
    mean, log_std = policy.net(policy.eyes(obs)).chunk(2, -1)
    normal = torch.distributions.Normal(mean, log_std.clamp(-5.0, 2.0).exp())
    expected = (normal.log_prob(torch.atanh(unit)) - torch.log1p(-unit.square())).sum(-1)
    torch.testing.assert_close(logprobs, expected, rtol=1e-6, atol=1e-6)


def test_actions_lie_within_bounds_and_spread_over_them():
    policy = Deterministic(SENSES, NUMBERS, (8,), "relu", generator=rng(), noise=3.0)
    draws = torch.from_numpy(rng().standard_normal((20_000, 2)))
    for actions in (policy.wander(draws), policy.act(torch.randn(20_000, 3), draws).actions):
        assert NUMBERS.contains(actions.amin(0).detach().numpy())
        assert NUMBERS.contains(actions.amax(0).detach().numpy())
    even = policy.wander(draws)
    torch.testing.assert_close(even.mean(0), torch.tensor([0.0, 5.0]), atol=0.1, rtol=0.0)
    torch.testing.assert_close(even.std(0), torch.tensor([4.0, 10.0]) / 12**0.5, atol=0.1, rtol=0.0)


@pytest.mark.parametrize("space", [gym.spaces.Discrete(3), gym.spaces.Box(-np.inf, np.inf, (1,))])
def test_actions_without_bounds_are_refused(space):
    with pytest.raises(ValueError, match=r"actions are (Discrete|Box)"):
        Critics(SENSES, space, (8,), "relu", generator=rng(), count=2)


def test_dueling_leaves_the_mean_to_the_value():
    net = QNetwork(SENSES, gym.spaces.Discrete(3), (8, 8), "relu", generator=rng(), dueling=True)
    obs = torch.randn(4, 1, 3)
    q = net.along(obs, torch.zeros(4, 1, dtype=torch.bool))[:, 0, :, 0]
    torch.testing.assert_close(q.mean(-1), net.value(net.body(obs[:, 0]))[:, 0])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", [QNetwork, Chooser])
def test_random_actions_are_even_over_the_allowed(kind, masked):
    net = kind(SENSES, gym.spaces.Discrete(4), (8,), "relu", generator=rng())
    u = (torch.arange(1200.0, dtype=torch.float64)[:, None] + 0.5) / 1200.0
    allowed = torch.tensor([True, False, True, True]).expand(1200, 4) if masked else None
    counts = torch.bincount(net.wander(u, allowed), minlength=4).tolist()
    assert counts == ([400, 0, 400, 400] if masked else [300] * 4)


def test_epsilon_greedy_takes_random_actions_as_often_as_it_says():
    net = QNetwork(SENSES, gym.spaces.Discrete(4), (8,), "relu", generator=rng())
    net.epsilon = 0.2
    obs, u = torch.ones(1000, 3), (torch.arange(1000.0, dtype=torch.float64)[:, None] + 0.5) / 1000.0
    greedy = int(net.act(obs[:1], None).actions)
    counts = torch.bincount(net.act(obs, u).actions, minlength=4).tolist()
    assert counts[greedy] == 850
    assert sorted(counts)[:3] == [50, 50, 50]


def test_a_target_net_follows():
    net = nn.Linear(2, 1)
    target, optimizer = Target(net), Adam(net.parameters())
    before = target.net.weight.clone()
    optimizer.flat.add_(1.0)
    target.follow(optimizer.flat, 0.25)
    torch.testing.assert_close(target.net.weight, before + 0.25)
    target.follow(optimizer.flat)
    torch.testing.assert_close(target.net.weight, net.weight)
    assert not target.net.weight.requires_grad

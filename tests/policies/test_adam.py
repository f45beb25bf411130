"""Adam: torch's own numbers, gradients held to a norm, and a state that comes back."""

import numpy as np
import pytest
import torch

from rlkit.policies import adam as module
from rlkit.policies.adam import Adam
from rlkit.policies.networks import mlp


def nets():
    return [mlp((3, 8, 2), "tanh", np.random.default_rng(0), 1.0).double() for _ in range(2)]


def test_it_is_torchs_adam_with_torchs_clipping():
    ours, theirs = nets()
    adam, reference = Adam(ours.parameters(), epsilon=1e-5), torch.optim.Adam(theirs.parameters(), eps=1e-5)
    generator = torch.Generator().manual_seed(1)
    for k in range(20):
        x = torch.randn(5, 3, generator=generator, dtype=torch.float64)
        adam.step(adam.gradient(ours(x).square().sum()), 0.01 / (k + 1), 0.5)
        reference.zero_grad()
        theirs(x).square().sum().backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        reference.param_groups[0]["lr"] = 0.01 / (k + 1)
        reference.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)


def test_a_parameter_that_is_not_used_has_no_gradient():
    ours, _ = nets()
    adam = Adam(ours.parameters())
    assert adam.gradient(ours[0].weight.sum()).sum() == 24.0


def test_its_state_comes_back_and_another_is_refused():
    ours, theirs = nets()
    first, second = Adam(ours.parameters()), Adam(theirs.parameters())
    first.step(torch.ones_like(first.flat), 0.1)
    second.load_state_dict(first.state_dict())
    second.flat.copy_(first.flat)
    for adam in (first, second):
        adam.step(torch.ones_like(first.flat), 0.1)
    assert np.array_equal(*(adam.flat.numpy() for adam in (first, second)))
    with pytest.raises(ValueError, match="has 50 parameters; this one has 3"):
        Adam([torch.nn.Parameter(torch.zeros(3))]).load_state_dict(first.state_dict())


def test_a_large_net_is_updated_in_one_pass_as_a_small_one_is(monkeypatch):
    ours, theirs = nets()
    large, small = (Adam(net.parameters(), epsilon=1e-5) for net in (ours, theirs))
    generator = torch.Generator().manual_seed(1)
    for k in range(20):
        gradient = torch.randn(large.flat.shape, generator=generator, dtype=torch.float64)
        for adam, least in ((large, 0), (small, 1 << 20)):
            monkeypatch.setattr(module, "_LARGE", least)
            adam.step(gradient.clone(), 0.01 / (k + 1), (0.5, 50.0)[k % 2])
    assert large.count == small.count
    for one, other in ((large.flat, small.flat), (large.mean, small.mean), (large.square, small.square)):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-15)


def test_gradients_of_parts_add_up_in_place():
    ours, _ = nets()
    adam, x = Adam(ours.parameters()), torch.ones(5, 3, dtype=torch.float64)
    total = torch.zeros_like(adam.flat)
    for part in (x[:2], x[2:]):
        adam.add_gradient(total, ours(part).square().sum())
    adam.add_gradient(total, ours(x).detach().sum())  # depends on nothing
    adam.add_gradient(total, ours[0].weight.sum())  # on one parameter
    expected = adam.gradient(ours(x).square().sum() + ours[0].weight.sum())
    torch.testing.assert_close(total, expected)
    assert all(parameter.grad is None for parameter in ours.parameters())

"""Actor and critic as a pair are the two nets one after the other: values, gradients, and what a policy says with either."""

import numpy as np
import pytest
import torch

import rlkit
from rlkit.policies.networks import mlp, pair


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (5,), (7, 3)])
def test_a_pair_is_two_nets(hidden, activation):
    rng = np.random.default_rng(0)
    first, second = (mlp((4, *hidden, outputs), activation, rng, 1.0).double() for outputs in (3, 1))
    inputs = torch.from_numpy(rng.normal(size=(6, 4))).requires_grad_()
    leaves = [inputs, *first.parameters(), *second.parameters()]
    found, expected = pair(first, second, inputs), (first(inputs), second(inputs))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    gradients = [torch.autograd.grad(sum(x.cos().sum() for x in outputs), leaves) for outputs in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("options", "paired"), [({}, True), ({"hidden": (200,)}, False), ({"shared": True}, False)])
def test_a_policy_says_the_same_as_a_pair_and_apart(options, paired):
    agent = rlkit.make("a2c", "Pendulum-v1", envs=2, engine="torch", **options)
    policy, traj = agent.policy.double(), agent.player.play()
    assert policy.paired == paired
    _, values = policy.forward(traj)
    torch.testing.assert_close(values, policy.values(traj), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(policy.both(traj)[0], policy.evaluate(traj), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu", "elu"])
@pytest.mark.parametrize("wanted", [0, 1])
def test_one_of_a_pair_can_be_asked_alone_and_inputs_without_gradient(activation, wanted):
    rng = np.random.default_rng(1)
    nets = [mlp((4, 6, 5, outputs), activation, rng, 1.0).double() for outputs in (3, 1)]
    inputs = torch.from_numpy(rng.normal(size=(7, 4)))
    leaves = list(nets[wanted].parameters())
    found, expected = pair(*nets, inputs)[wanted], nets[wanted](inputs)
    gradients = [torch.autograd.grad(output.sin().sum(), leaves) for output in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)
    with torch.no_grad():
        torch.testing.assert_close(pair(*nets, inputs)[wanted], expected)

"""The gradient of PPO's loss in compiled code is torch's: to 1e-5 in float32, to 1e-10 in float64."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlkit.compiled.learn import gradient
from rlkit.compiled.losses import Weights
from rlkit.compiled.state import named
from rlkit.pg.losses import clipped_surrogate, clipped_value_loss
from tests.compiled.twins import random_segment, twins

ROWS = 90  # more than a block, and no multiple of a tile
WEIGHTS = Weights(low=0.1, high=0.3, entropy=0.02, value=0.7, value_clip=0.4)


@pytest.mark.parametrize(("dtype", "closeness"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Box(-1, 1, (2,), np.float32)], ids=["choice", "normal"])
def test_the_gradient_is_autograds(space, dtype, closeness):
    policy, actor, critic = twins(space, dtype)
    normal = isinstance(space, spaces.Box)
    actions = 2 if normal else 3
    segment = random_segment(np.random.default_rng(1), 4, 25, actions, dtype)
    order = np.random.default_rng(2).permutation(100)
    own = []
    for part, net, outputs in ((0, actor, actions), (1, critic, 0)):
        gradient(part, net, outputs, normal, segment, order, 7, ROWS, WEIGHTS)
        own.append(named(net, ("actor", "critic")[part], net.gradient))
    expected = _by_autograd(policy, segment, order[7 : 7 + ROWS], normal)
    for name, array in {**own[0], **own[1]}.items():
        np.testing.assert_allclose(array, expected[name], atol=closeness, rtol=closeness, err_msg=name)
    if normal:
        np.testing.assert_allclose(actor.gradient[-2:], expected["log_std"], atol=closeness, rtol=closeness)


def _by_autograd(policy, segment, rows, normal):
    pick = lambda array: torch.from_numpy(array[rows])[None]  # noqa: E731
    features, mask = pick(segment.obs)[0], torch.ones(1, len(rows), dtype=torch.bool)
    outputs = policy._outputs(features, None)
    actions = pick(segment.action if normal else segment.choice)[0]
    logprobs, entropy = policy.head.log_prob(outputs, actions)[None], policy.head.entropy(outputs)[None]
    values = policy.critic(features)[None, :, 0]
    bounds = {"low": WEIGHTS.low, "high": WEIGHTS.high}
    loss = clipped_surrogate(logprobs, pick(segment.logprobs), pick(segment.advantages), mask, **bounds)
    old, targets = pick(segment.values), pick(segment.targets)
    loss = loss + WEIGHTS.value * clipped_value_loss(values, old, targets, mask, clip=WEIGHTS.value_clip)
    (loss - WEIGHTS.entropy * entropy).mean().backward()
    return {name: weight.grad.numpy() for name, weight in policy.named_parameters()}

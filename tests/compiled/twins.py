"""Nets in compiled code and the same in torch, and a segment of random rows for both."""

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from rlkit.compiled.mlp import TANH, flip, new_net
from rlkit.compiled.segment import new_segment
from rlkit.compiled.state import put
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.senses import Senses
from rlkit.policies.state import module_state

TORCH = {np.float32: torch.float32, np.float64: torch.float64}
OBS = spaces.Box(-np.inf, np.inf, (5,), np.float32)


def twins(action_space: gym.Space, dtype, hidden=(24, 40)):
    """An actor and a critic of uneven widths, and torch's."""
    policy = ActorCritic(Senses(OBS), action_space, hidden, generator=np.random.default_rng(0), log_std=-0.3)
    for name, weight in policy.named_parameters():  # so that biases and differences between actions count
        weight.data += 0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(len(name)))
    policy.to(TORCH[dtype])
    outputs = policy.actor[-1].out_features
    normal = isinstance(action_space, spaces.Box)
    actor = new_net((5, *hidden, outputs), TANH, dtype, outputs if normal else 0)
    critic = new_net((5, *hidden, 1), TANH, dtype)
    state = module_state(policy)
    put(actor, "actor", actor.weights, state)
    put(critic, "critic", critic.weights, state)
    if normal:
        actor.weights[-outputs:] = state["log_std"]
    flip(actor)
    return policy, actor, critic


def random_segment(rng, worlds, steps, actions, dtype):
    """A segment whose numbers are all there."""
    segment = new_segment(worlds, steps, 5, actions, dtype)
    rows = worlds * steps
    segment.obs[:] = rng.normal(size=(rows, 5)).astype(np.float32)
    segment.choice[:] = rng.integers(actions, size=rows)
    segment.action[:] = rng.normal(size=(rows, actions))
    segment.logprobs[:] = -0.5 - rng.random(rows)
    for array in (segment.values, segment.advantages, segment.targets, segment.cut_values):
        array[:] = rng.normal(size=array.shape)
    segment.rewards[:] = rng.normal(size=rows)
    return segment


def flat(state, path=""):
    """Every array and number of a state, by its path."""
    if not isinstance(state, dict):
        return {path: state}
    return {key: value for name in state for key, value in flat(state[name], f"{path}/{name}").items()}


def same(left, right):
    """Everything is equal."""
    left, right = flat(left), flat(right)
    assert left.keys() == right.keys()
    for key, value in left.items():
        assert np.array_equal(value, right[key]), key


def close(left, right, closeness):
    """Arrays are within `closeness`, and ten times that of their size; everything else is equal."""
    left, right = flat(left), flat(right)
    assert left.keys() == right.keys()
    for key, value in left.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, right[key], rtol=10 * closeness, atol=closeness, err_msg=key)
        else:
            assert value == right[key], key

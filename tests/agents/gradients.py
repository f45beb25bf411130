"""The exact gradients that deep agents with a tabular policy are held against, and how a sampled one is averaged."""

import numpy as np
import torch

import rlkit
from rlkit import exact
from rlkit.mdp import from_env

GAMMA = 0.9


def softmax_policy(agent, n_states, seed=0):
    """Give a policy without hidden layers random weights; π(a|s) as an array [S, A]."""
    layer = agent.policy.actor[0]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.random.default_rng(seed).normal(size=tuple(layer.weight.shape))))
        layer.bias.zero_()
        return torch.softmax(agent.policy.outputs(torch.arange(n_states)).double(), -1).numpy()


def ascent(loss, agent):
    """The direction in which the loss falls, of the policy's logits, [S, A]."""
    (gradient,) = torch.autograd.grad(loss, [agent.policy.actor[0].weight], allow_unused=True)
    return -gradient.double().numpy().T


def along_states(distribution, pi, mdp):
    """Σ_s d(s) Σ_a π ∇ log π q by logits, [S, A]: d(s) π(a|s) (q(s, a) - v(s))."""
    return distribution[:, None] * pi * exact.advantage(mdp, pi, GAMMA)


def made(name, env, **config):
    """An agent with a tabular policy, its world's model, and π."""
    agent = rlkit.make(name, env, seed=0, hidden=(), gamma=GAMMA, **config)
    mdp = from_env(env)
    return agent, mdp, softmax_policy(agent, mdp.n_states)


def error(found, truth):
    """‖found - truth‖ / ‖truth‖."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))

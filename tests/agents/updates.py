"""An actor-critic's replay and what a learning step did to its nets, for tests that write the paper's step out."""

import copy

import torch

import rlkit


def before_learning(name, env, **config):
    """An agent that has acted at random and learned nothing yet, and one batch of what it remembers."""
    config = {"warmup": 64, "batch": 16, "hidden": (8,), "lr": 0.01, "tau": 0.1, "gamma": 0.9, **config}
    agent = rlkit.make(name, env, seed=0, **config)
    for _ in agent.updates(60):
        pass
    (drawn,) = agent.player.experience.batches(copy.deepcopy(agent.player.rng), 1)
    return agent, drawn


def descend(module, loss):
    """Take Adam's first step down a loss, by torch's own."""
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    optimizer.zero_grad()
    loss.backward(inputs=list(module.parameters()))
    torch.nn.utils.clip_grad_norm_(module.parameters(), 10.0)
    optimizer.step()


def follow(target, module, tau=0.1):
    """Move a target net by hand."""
    with torch.no_grad():
        for mine, its in zip(target.parameters(), module.parameters(), strict=True):
            mine.lerp_(its, tau)


def agree(left, right):
    """Whether two nets have the same weights, up to rounding."""
    for mine, its in zip(left.parameters(), right.parameters(), strict=True):
        torch.testing.assert_close(mine, its, atol=1e-5, rtol=1e-4)

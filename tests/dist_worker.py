"""What one rank of tests/test_dist.py does: one step on its half of a batch, with what torchrun would have set."""

import sys

import torch

from rlkit import dist
from rlkit.pg.losses import clipped_surrogate
from rlkit.pg.reduce import aggregate, count, whiten


def step(rows, how):
    """Gradients and loss, averaged over ranks, of the rows given, for a policy with three parameters."""
    draw = torch.Generator().manual_seed(0)
    mask = torch.arange(9) < torch.tensor([9, 1, 5, 2, 8, 3, 1, 1])[:, None]
    features, rewards = torch.randn((8, 9, 4), generator=draw), torch.randn((8, 9), generator=draw)
    old = -torch.rand((8, 9), generator=draw)
    weights = torch.nn.Parameter(torch.randn(4, generator=draw) / 10)
    sometimes, never = torch.nn.Parameter(torch.ones(2, dtype=torch.float64)), torch.nn.Parameter(torch.ones(3))
    mask, features, rewards, old = (x[rows] for x in (mask, features, rewards, old))
    advantages = whiten(rewards, mask, across=dist.mean)
    denominator = dist.mean(count(mask, how, length=9))
    loss = aggregate(clipped_surrogate(old + features @ weights, old, advantages, mask), mask, how, denominator)
    seen_by_one = sometimes.sum() * dist.world_size() if 7 in rows else 0.0  # only one rank has row 7
    (loss + seen_by_one).backward()
    dist.average_gradients([weights, sometimes, never])
    dist.average_gradients([])
    return {"loss": dist.mean(loss), "weights": weights.grad, "sometimes": sometimes.grad, "never": never.grad}


if __name__ == "__main__":
    assert dist.setup(torch.device("cpu")) == torch.device("cpu")
    assert dist.setup(torch.device("cpu")) == torch.device("cpu")  # a second call joins nothing anew
    half = torch.arange(8)[dist.rank() * 4 :][:4]
    torch.save({how: step(half, how) for how in ("token", "sequence", "constant")}, sys.argv[1])
    dist.leave()

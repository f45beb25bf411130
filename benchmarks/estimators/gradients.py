"""The gradient of every batch at once: each batch has its own copy of the policy's parameters, and autograd does the rest."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.estimators.episodes import Part
from rlkit.data import Trajectories
from rlkit.pg.losses import reinforce
from rlkit.pg.reduce import How, aggregate

Surrogate = Callable[
    [Tensor, Tensor, Tensor, Tensor], Tensor
]  # logprobs, old_logprobs, advantages, mask -> loss [b, T]


def on_policy(logprobs: Tensor, _: Tensor, advantages: Tensor, mask: Tensor) -> Tensor:
    """REINFORCE in the form of a surrogate; it needs no old policy."""
    return reinforce(logprobs, advantages, mask)


def gradients(
    theta: Tensor,
    parts: Sequence[Part],
    advantages: Sequence[Tensor],
    n: int,
    loss: Surrogate = on_policy,
    how: How = "constant",
) -> Tensor:
    """Return the ascent direction -∇ loss of each batch of n episodes, [R, S, A].

    Args:
        theta: [R, S, A] parameters of each batch; episode i of the sample belongs to batch i // n.
        parts: the sample.
        advantages: [b, T] of each part.
        n: episodes in a batch.
        loss: one of `rlkit.pg.losses`.
        how: constant: the mean over episodes of sums over steps; sequence: of means over steps.
    """
    up, count = torch.zeros_like(theta), torch.tensor(float(n))
    for (index, traj), weights in zip(parts, advantages, strict=True):
        present, batch = torch.unique(index // n, return_inverse=True)
        copies = theta[present].requires_grad_()
        logprobs = log_policy(copies, batch, traj)
        aggregate(loss(logprobs, traj.logprobs, weights, traj.mask), traj.mask, how, count).backward()
        assert copies.grad is not None
        up[present] -= copies.grad
    return up


def log_policy(theta: Tensor, batch: Tensor, traj: Trajectories) -> Tensor:
    """Return log pi(a|s) of the actions taken, by the parameters [R, S, A] of each row's batch [b]; [b, T]."""
    where = (batch[:, None] * theta.shape[1] + traj.obs) * theta.shape[2] + traj.actions
    return torch.log_softmax(theta, -1).flatten().gather(0, where.flatten()).view(where.shape)

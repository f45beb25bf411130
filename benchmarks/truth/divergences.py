"""What estimators of KL(π ‖ π_ref) do on average, in value and in gradient, where they may stand: in the loss or in the reward."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.truth.expectation import Moments, joint, objective
from benchmarks.truth.worlds import Table, World, log_chances, rows_of, worth
from rlkit.agents.grpo import Config
from rlkit.pg.family import DIVERGENCES
from rlkit.pg.kl import k1

Estimate = Callable[[Tensor, Tensor, Tensor], Tensor]
IN_LOSS: dict[str, Estimate] = {"k1": k1, **DIVERGENCES}


class Form(NamedTuple):
    """An estimator at a place, on average."""

    name: str
    value: float  # over the true divergence
    mean: Tensor  # [D]  the gradient of the penalty


def exact(world: World, logits: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean divergence of whole answers over prompts, and its gradient [D]."""
    leaf = logits.clone().requires_grad_()
    value = -objective(_unpaid(world), leaf, reference=reference, beta=1.0)
    (gradient,) = torch.autograd.grad(value, leaf)
    return value.detach(), gradient.flatten()


def in_loss(world: World, estimate: Estimate, logits: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return E[Σ_t k_t] and E[∇ Σ_t k_t] over all answers to all prompts; what drew them is a constant, as in training."""
    rows, prompts = rows_of(world, logits), len(world.prompts)
    chances = log_chances(rows, logits, prompts).exp().flatten() / prompts
    table = Table(logits)
    penalty = estimate(table.evaluate(rows).logprobs, Table(reference).evaluate(rows).logprobs.detach(), rows.mask)
    value = (chances * penalty.sum(1)).sum()
    (gradient,) = torch.autograd.grad(value, table.logits)
    return value.detach(), gradient.flatten()


def by_agent(world: World, config: Config, logits: Tensor, reference: Tensor) -> Moments:
    """Return the gradient of the penalty alone that `grpo` takes, in a world that pays nothing; config.kl is 1."""
    settings = {"advantage": "return", "loss": "reinforce", "how": "constant", "length": 1, "group": 1, "kl": 1.0}
    unpaid = _unpaid(world)
    found = joint(unpaid, replace(config, max_steps=world.length, **settings), logits, reference=reference)
    return Moments(-found.mean, found.variance)


def forms(world: World, logits: Tensor, reference: Tensor) -> list[Form]:
    """Return all of them."""
    value, _ = exact(world, logits, reference)
    found = []
    for name, estimate in IN_LOSS.items():
        mean, gradient = in_loss(world, estimate, logits, reference)
        found.append(Form(f"{name} in the loss", float(mean / value), gradient))
    reward = by_agent(world, Config(estimator="k1"), logits, reference)
    return [*found, Form("k1 in the reward", found[0].value, reward.mean)]


def _unpaid(world: World) -> World:
    return world._replace(prompts=tuple(worth({}) for _ in world.prompts))

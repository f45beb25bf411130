"""C51: the distribution of the return as probabilities of fixed values, learned as DQN learns its mean; Bellemare et al., arXiv:1707.06887.

The target is the projection of r + γ Z(s', a') onto the K values; the loss is the cross entropy. Everything else is DQN's.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor

from rlkit.agent import Agent
from rlkit.agents import dqn
from rlkit.pg.q_targets import categorical_loss, project
from rlkit.policies.machine import device


@dataclass(frozen=True)
class Config(dqn.Config):
    """C51."""

    atoms: int = 51  # K, values that a return may have
    low: float = -10.0  # the lowest of them; returns below are taken for it
    high: float = 10.0  # the highest


class Categorical(NamedTuple):
    """Probabilities of K values, as logits."""

    atoms: int
    support: Tensor  # [K]

    def target(self, ahead: Tensor, rewards: Tensor, discounts: Tensor) -> Tensor:
        """Return the probabilities of r + γ Z'."""
        return project(torch.softmax(ahead, -1), self.support.to(ahead), rewards, discounts)

    def loss(self, outputs: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the cross entropy."""
        return categorical_loss(outputs, target, mask)

    def surprise(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return the difference of the means, where Rainbow (arXiv:1710.02298) takes the Kullback-Leibler divergence."""
        return (target - torch.softmax(outputs, -1)) @ self.support.to(outputs)


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    if config.atoms < 2:
        raise ValueError(f"atoms is {config.atoms}; a distribution takes at least 2")
    if not -math.inf < config.low < config.high < math.inf:
        raise ValueError(f"low is {config.low} and high {config.high}; returns must lie between, in this order")
    support = torch.linspace(config.low, config.high, config.atoms).to(
        device(config.device)
    )  # once, not with each batch
    return dqn.build(env, config, seed, Categorical(config.atoms, support))

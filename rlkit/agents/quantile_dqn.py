"""QR-DQN: the distribution of the return as N quantiles, learned as DQN learns its mean; Dabney et al., arXiv:1710.10044.

The target is r + γ θ'_j for every quantile at s' and a'; the loss is the quantile Huber loss. Everything else is DQN's.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
from torch import Tensor

from rlkit.agent import Agent
from rlkit.agents import dqn
from rlkit.pg.q_targets import quantile_loss, td_target


@dataclass(frozen=True)
class Config(dqn.Config):
    """QR-DQN."""

    quantiles: int = 50  # N
    kappa: float = 1.0  # κ, up to where an error is squared; 0: the plain quantile loss


class Quantiles(NamedTuple):
    """N quantiles."""

    atoms: int
    kappa: float
    support: Tensor | None = None

    def target(self, ahead: Tensor, rewards: Tensor, discounts: Tensor) -> Tensor:
        """Return r + γ θ'."""
        return td_target(rewards[..., None], discounts[..., None], ahead)

    def loss(self, outputs: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the quantile Huber loss."""
        return quantile_loss(outputs, target, mask, kappa=self.kappa)

    def surprise(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Return the difference of the means."""
        return target.mean(-1) - outputs.mean(-1)


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    if config.quantiles < 2:
        raise ValueError(f"quantiles is {config.quantiles}; a distribution takes at least 2")
    if not config.kappa >= 0.0:
        raise ValueError(f"kappa is {config.kappa}; it must be at least 0")
    return dqn.build(env, config, seed, Quantiles(config.quantiles, config.kappa))

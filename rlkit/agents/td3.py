"""TD3: DDPG with two critics, noise on the target's actions, and an actor that waits; Fujimoto et al., arXiv:1802.09477.

y = r + γ min_i Q'_i(s', clip(μ'(s') + clip(ε, ±c), low, high)). Everything else is DDPG's.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from rlkit.agent import Agent
from rlkit.agents import ddpg
from rlkit.agents.ddpg import Care
from rlkit.sample.config import check


@dataclass(frozen=True)
class Config(ddpg.Config):
    """TD3."""

    delay: int = 2  # learning steps of the critics for one of the actor and the target nets
    smooth: float = 0.2  # standard deviation of the noise on the target's actions, where actions reach from -1 to 1
    smooth_clip: float = 0.5  # and its bound


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, delay=1, smooth=0, smooth_clip=0)
    return ddpg.build(env, config, seed, Care(2, config.delay, config.smooth, config.smooth_clip))

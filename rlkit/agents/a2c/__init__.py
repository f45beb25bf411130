"""A2C: advantage actor-critic, one gradient from each segment; Mnih et al., arXiv:1602.01783, synchronous; Zhao section 10.2.

∇ log π(a|s) (G - V(s)) for the actor and (G - V(s))² for the critic, G the longest n-step return that the segment holds, which
are GAE's advantages with λ = 1; λ below 1 is there too, and λ = 0 is the book's TD actor-critic. A time limit bootstraps. The paper's
RMSprop is left out: Adam does as well here. Several processes deal out `envs` among them.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from rlkit.agent import Agent
from rlkit.compiled.a2c import build
from rlkit.compiled.engine import applies
from rlkit.sample.config import Deep, Engine, check
from rlkit.sample.several import Several
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Deep):
    """A2C."""

    segment: int = 16  # T, steps in each environment between two updates
    lr: Rate = 1e-3  # of Adam
    lam: float = 1.0  # λ of GAE; 1: n-step returns, 0: TD
    entropy: float = 0.0  # weight of the entropy bonus
    value: float = 0.5  # weight of the value loss
    shared: bool = False  # one body for actor and critic
    recurrent: int = 0  # units of a GRU; 0: none
    log_std: float = 0.0  # of continuous actions, at the start
    normalise_obs: bool = False  # standardise observations by what was seen
    normalise_rewards: bool = False  # divide rewards by the deviation of discounted returns
    engine: Engine = "auto"  # compiled: small nets in compiled worlds; torch: everything; auto: compiled where it can


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, segment=1, lam=0, entropy=0, value=0, recurrent=0)
    if config.lam > 1.0:
        raise ValueError(f"lam is {config.lam}; it must lie between 0 and 1")
    if applies(env, config, shared=False, recurrent=0, normalise_obs=False, normalise_rewards=False):
        return build(env, config, seed)
    from rlkit.agents.a2c.learner import A2C  # noqa: PLC0415 - torch takes a second to load

    return A2C(env, config, seed) if config.seeds == 1 else Several(config, seed, lambda one, at: A2C(env, one, at))

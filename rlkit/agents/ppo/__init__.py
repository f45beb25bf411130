"""PPO: clipped surrogate over several epochs of each segment; Schulman et al., arXiv:1707.06347.

Advantages are GAE's (arXiv:1506.02438), made to mean 0 and deviation 1 over the whole segment; the critic's targets are its
λ-returns. A time limit bootstraps. Processes that torchrun starts deal out `envs` and every minibatch among them, and learn what one would.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from rlkit.agent import Agent
from rlkit.compiled.engine import applies
from rlkit.compiled.ppo import build
from rlkit.sample.config import Deep, Engine, check
from rlkit.sample.several import Several
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Deep):
    """PPO."""

    segment: int = 128  # T, steps in each environment between two updates
    batch: int = 256  # steps of a minibatch; a recurrent policy takes as many whole rows as hold them
    epochs: int = 10
    lr: Rate = 3e-4  # of Adam
    lam: float = 0.95  # λ of GAE
    clip: Rate = 0.2  # the ratio's gain counts down to 1 - clip
    clip_high: Rate | None = None  # and up to 1 + clip_high; None: clip
    entropy: float = 0.0  # weight of the entropy bonus
    value: float = 0.5  # weight of the value loss
    value_clip: float = 0.0  # the critic's change in a segment that counts; 0: any
    target_kl: float = 0.0  # no further epoch once the policy has moved so far; 0: all epochs
    shared: bool = False  # one body for actor and critic
    recurrent: int = 0  # units of a GRU; 0: none
    engine: Engine = "auto"  # compiled: small nets in compiled worlds; torch: everything; auto: compiled where it can
    log_std: float = 0.0  # of continuous actions, at the start
    normalise_obs: bool = False  # standardise observations by what was seen
    normalise_rewards: bool = False  # divide rewards by the deviation of discounted returns


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    unit = ("lam", "entropy", "value", "value_clip", "target_kl", "recurrent")
    check(config, segment=1, batch=1, epochs=1, **dict.fromkeys(unit, 0))
    if config.lam > 1.0:
        raise ValueError(f"lam is {config.lam}; it must lie between 0 and 1")
    if applies(env, config, shared=False, recurrent=0, normalise_obs=False, normalise_rewards=False):
        return build(env, config, seed)
    from rlkit.agents.ppo.learner import PPO  # noqa: PLC0415 - torch takes longer to load than CartPole to be solved

    return PPO(env, config, seed) if config.seeds == 1 else Several(config, seed, lambda one, at: PPO(env, one, at))

"""DQN: Q-learning with a net, a replay and a target net, Zhao section 8.5; Mnih et al. 2015.

y = r + γ max_a Q'(s', a), Huber loss. As options double (arXiv:1509.06461), dueling, n-step, prioritized replay, memory (arXiv:1507.06527).
Processes that torchrun starts deal out `envs` and every batch among them, and learn what one would.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from rlkit.agent import Agent
from rlkit.compiled import dqn as compiled
from rlkit.compiled.engine import applies
from rlkit.sample.config import Engine, OffPolicy, check
from rlkit.sample.several import Several
from rlkit.tabular.schedule import Rate

if TYPE_CHECKING:
    from rlkit.agents.dqn.learner import Rule


@dataclass(frozen=True)
class Config(OffPolicy):
    """DQN."""

    train_every: int = 4
    target_every: int = 1_000  # steps between two updates of the target net
    tau: float = 1.0  # how far it moves then; 1: it becomes a copy
    epsilon: Rate = "linear(1, 0.05, 10000)"  # probability of a random action
    double: bool = True  # the net chooses the action at which the target net is asked
    dueling: bool = False  # Q = V + A - mean A
    prioritized: float = 0.0  # exponent α of priorities; 0: transitions are drawn evenly
    beta: Rate = "linear(0.4, 1, 100000)"  # exponent of the weights that make up for priorities
    recurrent: int = 0  # units of a GRU; 0: none
    sequence: int = 16  # steps of a row that a recurrent net learns from
    burn_in: int = 4  # first steps of it, from which only the memory comes
    max_grad_norm: float = 10.0
    engine: Engine = (
        "auto"  # compiled: small plain nets in compiled worlds; torch: everything; auto: compiled where it can
    )


def build(env: gym.Env[Any, Any], config: Config, seed: int, rule: "Rule | None" = None) -> Agent:
    """Build an agent with a rule.

    Args:
        env: the environment.
        config: DQN's, or that of its kin.
        seed: of everything random.
        rule: what is learned of the return; None: its mean, which can run compiled.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    whole = ("capacity", "batch", "train_every", "gradient_steps", "target_every", "n_step", "sequence")
    check(config, warmup=0, recurrent=0, burn_in=0, prioritized=0, **dict.fromkeys(whole, 1))
    for name, value in (("tau", config.tau), ("prioritized", config.prioritized)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} is {value}; it must lie between 0 and 1")
    if config.recurrent and (config.prioritized or config.n_step > 1):
        raise ValueError(f"recurrent is {config.recurrent}; a net with memory has n_step 1 and prioritized 0")
    if config.recurrent and config.burn_in >= config.sequence:
        raise ValueError(
            f"burn_in is {config.burn_in}; it must leave some of the {config.sequence} steps of a sequence"
        )
    reason = "distributions of the return are learned" if rule else compiled.refusal(env)
    if applies(env, config, reason, dueling=False, prioritized=0.0, recurrent=0, normalise_obs=False):
        return compiled.build(env, config, seed)
    from rlkit.agents.dqn.learner import DQN, MEAN  # noqa: PLC0415 - torch takes a second to load

    learned = rule or MEAN
    return (
        DQN(env, config, seed, learned)
        if config.seeds == 1
        else Several(config, seed, lambda one, at: DQN(env, one, at, learned))
    )


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent."""
    return build(env, config, seed)

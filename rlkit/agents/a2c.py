"""A2C: advantage actor-critic, one gradient from each segment; Mnih et al., arXiv:1602.01783, synchronous; Zhao section 10.2.

∇ log π(a|s) (G - V(s)) for the actor and (G - V(s))² for the critic, G the longest n-step return that the segment holds, which
are GAE's advantages with λ = 1; λ below 1 is there too, and λ = 0 is the book's TD actor-critic. A time limit bootstraps. The paper's
RMSprop is left out: Adam does as well here. Several processes deal out `envs` among them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.data import Trajectories
from rlkit.pg.losses import reinforce, value_loss
from rlkit.pg.reduce import aggregate, count, masked_mean
from rlkit.pg.returns import gae
from rlkit.sample.config import Deep, check
from rlkit.sample.player import Player
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


class A2C:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        self.player = Player(
            env,
            config,
            seed,
            shared=config.shared,
            recurrent=config.recurrent,
            log_std=config.log_std,
            normalise_obs=config.normalise_obs,
            normalise_rewards=config.normalise_rewards,
        )
        self.policy = self.player.policy

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self.player.acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions, and of an episode's beginning."""
        self.player.acting.attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole segments."""
        player, end = self.player, self.player.ask(steps)
        while player.step < end:
            traj = player.play()
            found = self._learn(traj)
            if player.counted(traj):
                yield player.report(found)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return self.player.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        self.player.load_state_dict(state)

    def _learn(self, traj: Trajectories) -> dict[str, Tensor]:
        """Take one step of the optimizer; return what it came from, as numbers that stay on the device."""
        config, mask = self.config, traj.mask
        evaluation, values = self.policy.both(traj)
        with torch.no_grad():
            ahead, ends = self.policy.next_values(traj), (traj.terminated, traj.truncated, mask)
            advantages = gae(traj.rewards, values, ahead, *ends, gamma=config.gamma, lam=config.lam)
            targets = advantages + values
        error = value_loss(values, targets, mask)
        loss = reinforce(evaluation.logprobs, advantages, mask) + config.value * error
        loss = loss - config.entropy * evaluation.entropy
        loss = aggregate(loss, mask, "token", dist.mean(count(mask, "token")))
        self.player.descend(loss)
        return {
            "entropy": masked_mean(evaluation.entropy.detach(), mask),
            "value_loss": masked_mean(error.detach(), mask),
            "explained": 1.0 - advantages.var(correction=0) / (targets.var(correction=0) + 1e-8),
        }


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, segment=1, lam=0, entropy=0, value=0, recurrent=0)
    if config.lam > 1.0:
        raise ValueError(f"lam is {config.lam}; it must lie between 0 and 1")
    return A2C(env, config, seed) if config.seeds == 1 else Several(config, seed, lambda one, at: A2C(env, one, at))

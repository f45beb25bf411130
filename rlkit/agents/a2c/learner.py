"""A2C's torch engine: any net, any environment, any device; the algorithm from segment to step."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.data import Trajectories
from rlkit.pg.losses import reinforce, value_loss
from rlkit.pg.measures import explained
from rlkit.pg.reduce import aggregate, count, masked_mean
from rlkit.pg.returns import gae
from rlkit.sample.player import Player

if TYPE_CHECKING:
    from rlkit.agents.a2c import Config


class A2C:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: "Config", seed: int) -> None:
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
            "explained": explained(values.detach(), targets, mask),
        }

"""PPO's torch engine: any net, any environment, any device; the algorithm from segment to step."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.data import Trajectories
from rlkit.pg.kl import k3
from rlkit.pg.losses import clipped_surrogate, clipped_value_loss, value_loss
from rlkit.pg.measures import explained
from rlkit.pg.reduce import count, masked_mean, shares, whiten
from rlkit.pg.returns import gae
from rlkit.sample.config import rate
from rlkit.sample.draws import minibatches
from rlkit.sample.player import Player

if TYPE_CHECKING:
    from rlkit.agents.ppo import Config


class Batch(NamedTuple):
    """What one step of the optimizer learns from."""

    traj: Trajectories
    advantages: Tensor  # [B, T]
    targets: Tensor  # [B, T]  of the critic
    values: Tensor  # [B, T]  of the critic, as they were
    weights: Tensor  # [B, T]  with which the losses are summed


class PPO:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: "Config", seed: int) -> None:
        self.config = config
        self.player = Player(
            env,
            config,
            seed,
            batch=config.batch,
            shared=config.shared,
            recurrent=config.recurrent,
            log_std=config.log_std,
            normalise_obs=config.normalise_obs,
            normalise_rewards=config.normalise_rewards,
        )
        self.policy = self.player.policy
        self._low = rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)

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
            advantages, targets, values = self._judge(traj)
            self._learn(traj, advantages, targets, values)
            if player.counted(traj):
                yield player.report(self._measure(traj, targets, values))

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return self.player.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        self.player.load_state_dict(state)

    def _judge(self, traj: Trajectories) -> tuple[Tensor, Tensor, Tensor]:
        """Return advantages, the critic's targets, and its values as they were, [B, T]."""
        with torch.no_grad():
            values, ahead = self.policy.values(traj), self.policy.next_values(traj)
            ends = (traj.terminated, traj.truncated, traj.mask)
            advantages = gae(traj.rewards, values, ahead, *ends, gamma=self.config.gamma, lam=self.config.lam)
            return whiten(advantages, traj.mask, dist.mean), advantages + values, values

    def _learn(self, traj: Trajectories, advantages: Tensor, targets: Tensor, old_values: Tensor) -> None:
        config, player = self.config, self.player
        low, high = self._low(player.step + 1), self._high(player.step + 1)
        data = traj if config.recurrent else traj.flat()
        gains, goals, before = (x.view(data.mask.shape) for x in (advantages, targets, old_values))
        size = max(1, config.batch // data.mask.shape[1])
        batch = None
        for _ in range(config.epochs):
            for rows in minibatches(player.rng, len(data.mask), size, player.device):
                if batch is None or isinstance(rows, Tensor):  # what holds everything is the same in each epoch
                    part = data.select(rows)
                    weights = shares(part.mask, "token", dist.mean(count(part.mask, "token")))
                    batch = Batch(part, gains[rows], goals[rows], before[rows], weights)
                player.descend(self._loss(batch, low, high), batch.weights)
            if config.target_kl and self._kl(data) > config.target_kl:
                break

    def _loss(self, batch: Batch, low: float, high: float) -> Tensor:
        """Return the surrogate, the critic's error and the bonus for entropy, as they are weighed, [B, T]."""
        config, traj = self.config, batch.traj
        outputs, values = self.policy.forward(traj)
        logprobs = self.policy.head.log_prob(outputs, traj.actions)
        loss = clipped_surrogate(logprobs, traj.logprobs, batch.advantages, traj.mask, low=low, high=high)
        if config.value_clip:
            error = clipped_value_loss(values, batch.values, batch.targets, traj.mask, clip=config.value_clip)
        else:
            error = value_loss(values, batch.targets, traj.mask)
        loss = loss + config.value * error
        if config.entropy:
            loss = loss - config.entropy * self.policy.head.entropy(outputs)
        return loss

    def _measure(self, traj: Trajectories, targets: Tensor, old_values: Tensor) -> dict[str, Tensor]:
        """Say what the update came to, over its whole segment, in numbers that stay on the device."""
        k = self.player.step + 1
        with torch.no_grad():
            evaluation, values = self.policy.both(traj)
            ratio = (evaluation.logprobs - traj.logprobs).exp()
            outside = (ratio < 1.0 - self._low(k)) | (ratio > 1.0 + self._high(k))
            return {
                "entropy": masked_mean(evaluation.entropy, traj.mask),
                "kl": masked_mean(k3(traj.logprobs, evaluation.logprobs, traj.mask), traj.mask),
                "clipped": masked_mean(outside.float(), traj.mask),
                "value_loss": masked_mean(value_loss(values, targets, traj.mask), traj.mask),
                "explained": explained(old_values, targets, traj.mask),
            }

    def _kl(self, data: Trajectories) -> Tensor:
        with torch.no_grad():
            return dist.mean(masked_mean(k3(data.logprobs, self.policy.evaluate(data).logprobs, data.mask), data.mask))

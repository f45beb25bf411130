"""PPO's torch engine: any net, any environment, any device; the algorithm from segment to step."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.data import Trajectories
from rlkit.pg.kl import k3
from rlkit.pg.losses import clipped_surrogate, clipped_value_loss, value_loss
from rlkit.pg.reduce import aggregate, count, masked_mean, whiten
from rlkit.pg.returns import gae
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import device, use_threads
from rlkit.policies.state import load_module, module_state
from rlkit.sample.acting import Acting
from rlkit.sample.config import rate
from rlkit.sample.draws import agent_generator, minibatches, share, weight_generator
from rlkit.sample.normalise import Normaliser
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.vector import Segments
from rlkit.sample.worlds import Worlds

if TYPE_CHECKING:
    from rlkit.agents.ppo import Config


class PPO:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: "Config", seed: int) -> None:
        self.config = config
        self.device = dist.setup(device(config.device))
        self.worlds = Worlds(env, share(config.envs), seed, config.vector)
        senses = self.worlds.senses
        self.policy = ActorCritic(
            senses,
            self.worlds.action_space,
            config.hidden,
            config.activation,
            generator=weight_generator(seed),
            shared=config.shared,
            recurrent=config.recurrent,
            normalise=config.normalise_obs,
            log_std=config.log_std,
        ).to(self.device)
        self.optimizer = Adam(self.policy.parameters(), epsilon=1e-5)
        self.rng = agent_generator(seed)
        self.segments = Segments(self.worlds, self.policy, self.device)
        scaled = config.gamma if config.normalise_rewards else None
        self.normaliser = Normaliser(self.policy, senses.shape, self.worlds.count, scaled)
        self.step = 0
        self._acting = Acting(self.policy, senses, self.worlds.action_space, self.device, seed)
        self._lr, self._low = rate(config.lr, "lr", config), rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)
        use_threads(config.threads, self.optimizer.flat.numel(), config.batch)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self._acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions, and of an episode's beginning."""
        self._acting.attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole segments."""
        end, chunk = self.step + steps, every(self.config, steps)
        due = self.step + chunk
        while self.step < end:
            traj = self.normaliser.scaled(self.segments.collect(self.config.segment, self.rng))
            advantages, targets, values = self._judge(traj)
            self._learn(traj, advantages, targets, values)
            self.normaliser.see(traj)
            self.step += self.config.envs * self.config.segment
            if self.step >= min(due, end):
                due = self.step + chunk
                yield Report(self.step, episodes(self.worlds.finished) | self._measure(traj, targets, values))

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "policy": module_state(self.policy),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.rng.bit_generator.state,
            "segments": self.segments.state_dict(),
            "normaliser": self.normaliser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        load_module(self.policy, state["policy"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.segments.load_state_dict(state["segments"])
        self.normaliser.load_state_dict(state["normaliser"])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])

    def _judge(self, traj: Trajectories) -> tuple[Tensor, Tensor, Tensor]:
        """Return advantages, the critic's targets, and its values as they were, [B, T]."""
        with torch.no_grad():
            values, ahead = self.policy.values(traj), self.policy.next_values(traj)
            ends = (traj.terminated, traj.truncated, traj.mask)
            advantages = gae(traj.rewards, values, ahead, *ends, gamma=self.config.gamma, lam=self.config.lam)
            return whiten(advantages, traj.mask, dist.mean), advantages + values, values

    def _learn(self, traj: Trajectories, advantages: Tensor, targets: Tensor, old_values: Tensor) -> None:
        config, k = self.config, self.step + 1
        alpha, low, high = self._lr(k), self._low(k), self._high(k)
        data = traj if config.recurrent else traj.flat()
        advantages, targets, old_values = (x.view(data.mask.shape) for x in (advantages, targets, old_values))
        size = max(1, config.batch // data.mask.shape[1])
        for _ in range(config.epochs):
            for rows in minibatches(self.rng, len(data.mask), size, self.device):
                part, old = data.select(rows), old_values[rows]
                outputs, values = self.policy.forward(part)
                logprobs = self.policy.head.log_prob(outputs, part.actions)
                loss = clipped_surrogate(logprobs, part.logprobs, advantages[rows], part.mask, low=low, high=high)
                if config.value_clip:
                    error = clipped_value_loss(values, old, targets[rows], part.mask, clip=config.value_clip)
                else:
                    error = value_loss(values, targets[rows], part.mask)
                loss = loss + config.value * error
                if config.entropy:
                    loss = loss - config.entropy * self.policy.head.entropy(outputs)
                loss = aggregate(loss, part.mask, "token", dist.mean(count(part.mask, "token")))
                self.optimizer.step(dist.mean(self.optimizer.gradient(loss)), alpha, config.max_grad_norm)
            if config.target_kl and self._kl(data) > config.target_kl:
                break

    def _measure(self, traj: Trajectories, targets: Tensor, old_values: Tensor) -> dict[str, float]:
        """Say what the update came to, over its whole segment; the one place that waits for the device."""
        with torch.no_grad():
            evaluation, values = self.policy.both(traj)
            error = value_loss(values, targets, traj.mask)
            ratio = (evaluation.logprobs - traj.logprobs).exp()
            k = self.step + 1
            outside = (ratio < 1.0 - self._low(k)) | (ratio > 1.0 + self._high(k))
            found = {
                "entropy": masked_mean(evaluation.entropy, traj.mask),
                "kl": masked_mean(k3(traj.logprobs, evaluation.logprobs, traj.mask), traj.mask),
                "clipped": masked_mean(outside.float(), traj.mask),
                "value_loss": masked_mean(error, traj.mask),
                "explained": 1.0 - (targets - old_values).var(correction=0) / (targets.var(correction=0) + 1e-8),
            }
            numbers = dist.mean(torch.stack(list(found.values()))).tolist()
        return checked(dict(zip(found, numbers, strict=True)) | {"lr": self._lr(k)}, self.step)

    def _kl(self, data: Trajectories) -> Tensor:
        with torch.no_grad():
            return dist.mean(masked_mean(k3(data.logprobs, self.policy.evaluate(data).logprobs, data.mask), data.mask))

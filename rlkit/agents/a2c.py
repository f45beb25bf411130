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
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import device, use_threads
from rlkit.policies.state import load_module, module_state
from rlkit.sample.acting import Acting
from rlkit.sample.config import Deep, check, rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.normalise import Normaliser
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.several import Several
from rlkit.sample.vector import Segments
from rlkit.sample.worlds import Worlds
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
        self._lr = rate(config.lr, "lr", config)
        use_threads(config.threads, self.optimizer.flat.numel(), config.envs * config.segment)

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
            found = self._learn(traj)
            self.normaliser.see(traj)
            self.step += self.config.envs * self.config.segment
            if self.step >= min(due, end):
                due = self.step + chunk
                numbers = dist.mean(torch.stack(list(found.values()))).tolist()
                scalars = dict(zip(found, numbers, strict=True)) | {"lr": self._lr(self.step)}
                yield Report(self.step, episodes(self.worlds.finished) | checked(scalars, self.step))

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
        self.optimizer.step(dist.mean(self.optimizer.gradient(loss)), self._lr(self.step + 1), config.max_grad_norm)
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

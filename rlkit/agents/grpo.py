"""GRPO: the clipped surrogate with advantages relative to episodes of the same start; Shao et al., arXiv:2402.03300.

A_i = (R_i - mean) / std over the group of episode i, the same at each of its steps; no critic. Config fields make its relatives: `advantage`
"none" with `how` "constant" is Dr. GRPO (arXiv:2503.20783), "leave-one-out" is RLOO (arXiv:2402.14740), `clip_high` above `clip` with `how`
"token" is DAPO's objective (arXiv:2503.14476). The class knows a sampler and a policy, be they of environments or of a language model.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.data import Trajectories
from rlkit.pg.baselines import group_advantages, leave_one_out, per_step
from rlkit.pg.kl import k1, k2, k3
from rlkit.pg.losses import clipped_surrogate
from rlkit.pg.reduce import How, aggregate, count, masked_mean, masked_sum
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import device, use_threads
from rlkit.policies.protocol import Learner
from rlkit.policies.state import load_module, module_state
from rlkit.sample.acting import Acting
from rlkit.sample.config import Deep, check, rate
from rlkit.sample.draws import agent_generator, minibatches, share, weight_generator
from rlkit.sample.episodes import Episodes, Sampler, outcomes, steps_of
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.several import Several
from rlkit.sample.worlds import Worlds
from rlkit.tabular.schedule import Rate

Advantage = Literal["population", "sample", "none", "leave-one-out"]
Estimator = Literal["k1", "k2", "k3"]


@dataclass(frozen=True)
class Config(Deep):
    """GRPO."""

    gamma: float = 1.0  # discount within R = Σ γᵗ r
    envs: int = 64  # episodes of an iteration, over all processes
    group: int = 8  # episodes of each start
    max_steps: int = 1_000  # of an episode; a longer one is cut
    batch: int = 64  # episodes of a minibatch
    micro: int = 0  # episodes that go through the net at a time; 0: the minibatch
    epochs: int = 4
    lr: Rate = 3e-3  # of Adam
    advantage: Advantage = (
        "population"  # the deviation that divides R - mean, or "none"; or R less the mean of the others
    )
    how: How = (
        "token"  # "token": all steps count alike; "sequence": all episodes; "constant": steps, each 1 / max_steps
    )
    clip: Rate = 0.2  # the ratio's gain counts down to 1 - clip
    clip_high: Rate | None = None  # and up to 1 + clip_high; None: clip
    kl: float = 0.0  # weight of the divergence from the policy at the start
    estimator: Estimator = "k3"  # of the divergence: "k1" is taken off the rewards, "k2" and "k3" stand in the loss
    entropy: float = 0.0  # weight of the entropy bonus
    recompute: bool = False  # old log-probabilities from the net that learns, where the sampler's differ by rounding
    recurrent: int = 0  # units of a GRU; 0: none
    log_std: float = 0.0  # of continuous actions, at the start


class GRPO:
    """One run.

    Args:
        sampler: gives trajectories whose `group` says which rows share a start.
        policy: a net that says how likely it finds their actions.
        acting: what acts outside training.
        config: the configuration.
        seed: of the order of minibatches and of what the sampler draws.
    """

    def __init__(self, sampler: Sampler, policy: Learner, acting: Acting, config: Config, seed: int) -> None:
        self.config, self.sampler, self.policy = config, sampler, policy
        self.reference = copy.deepcopy(policy) if config.kl else None
        self.optimizer = Adam(policy.parameters(), epsilon=1e-5)
        self.rng = agent_generator(seed)
        self.step = 0
        self._acting = acting
        self._beyond = 0  # steps that the last episodes took beyond what was asked for
        self._lr, self._low = rate(config.lr, "lr", config), rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self._acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions, and of an episode's beginning."""
        self._acting.attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole iterations."""
        end, chunk = self.step - self._beyond + steps, every(self.config, steps)
        due, finished = self.step + chunk, list[tuple[float, int]]()
        self._beyond = 0
        while self.step < end:
            traj, reference = self._prepared(self.sampler.collect(self.rng))
            k, advantages = self.step + 1, self.advantages(traj, reference)
            for _ in range(self.config.epochs):
                for rows in minibatches(self.rng, len(traj.mask), self.config.batch, traj.mask.device):
                    part = [x[rows] for x in (advantages, reference)]
                    gradient = self.gradient(traj.select(rows), *part, low=self._low(k), high=self._high(k))
                    self.optimizer.step(dist.mean(gradient), self._lr(k), self.config.max_grad_norm)
            self.step += steps_of(traj)
            finished += outcomes(traj)
            if self.step >= min(due, end):
                self._beyond = max(0, self.step - end)
                scalars = episodes(finished) | self._measure(traj, reference, k)
                due, finished = self.step + chunk, []
                yield Report(self.step, checked(scalars, self.step))

    def advantages(self, traj: Trajectories, reference: Tensor) -> Tensor:
        """Return A of each step, [B, T]; every group is whole on one process.

        Args:
            traj: whole episodes.
            reference: log-probabilities under the policy at the start, [B, T]; read where the divergence is taken off the rewards.
        """
        config, rewards = self.config, traj.rewards
        if config.kl and config.estimator == "k1":
            rewards = rewards - config.kl * k1(traj.logprobs, reference, traj.mask)
        time = traj.mask.cumsum(1) - 1
        scores = masked_sum(rewards * config.gamma**time, traj.mask, (1,))
        if config.advantage == "leave-one-out":
            return per_step(leave_one_out(scores, traj.group), traj.mask)
        return per_step(group_advantages(scores, traj.group, scale=config.advantage, epsilon=1e-6), traj.mask)

    def gradient(self, traj: Trajectories, advantages: Tensor, reference: Tensor, *, low: float, high: float) -> Tensor:
        """Return the gradient of the loss of a minibatch on this process, [P], summed over parts of `micro` rows."""
        config, how = self.config, self.config.how
        denominator = dist.mean(count(traj.mask, how, config.max_steps))
        total = torch.zeros_like(self.optimizer.flat)
        for part, gains, reference_logprobs in self._parts(traj, advantages, reference):
            logprobs, entropy = self.policy.evaluate(part)
            loss = clipped_surrogate(logprobs, part.logprobs, gains, part.mask, low=low, high=high)
            if config.kl and config.estimator != "k1":
                divergence = k2 if config.estimator == "k2" else k3
                loss = loss + config.kl * divergence(logprobs, reference_logprobs, part.mask)
            if config.entropy:
                loss = loss - config.entropy * entropy
            total += self.optimizer.gradient(aggregate(loss, part.mask, how, denominator))
        return total

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "beyond": self._beyond,
            "policy": module_state(self.policy),
            "reference": None if self.reference is None else module_state(self.reference),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.rng.bit_generator.state,
            "sampler": self.sampler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        load_module(self.policy, state["policy"])
        if self.reference is not None:
            load_module(self.reference, state["reference"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sampler.load_state_dict(state["sampler"])
        self.rng.bit_generator.state = state["generator"]
        self.step, self._beyond = int(state["step"]), int(state["beyond"])

    @torch.no_grad()
    def _prepared(self, traj: Trajectories) -> tuple[Trajectories, Tensor]:
        """Episodes, and what the policy at the start says of their actions, [B, T]; zeros where nobody asks."""
        if self.config.recompute:
            traj = replace(traj, logprobs=self._said(self.policy, traj))
        return traj, torch.zeros_like(traj.logprobs) if self.reference is None else self._said(self.reference, traj)

    def _said(self, policy: Learner, traj: Trajectories) -> Tensor:
        return torch.cat([policy.evaluate(part).logprobs for part, *_ in self._parts(traj)])

    def _parts(self, traj: Trajectories, *others: Tensor) -> Iterator[tuple[Any, ...]]:
        """Stretches of at most `micro` rows of all of them."""
        rows = len(traj.mask)
        size = self.config.micro or rows
        for start in range(0, rows, size or 1):
            part = slice(start, start + size)
            yield traj.select(part), *(x[part] for x in others)

    @torch.no_grad()
    def _measure(self, traj: Trajectories, reference: Tensor, k: int) -> dict[str, float]:
        """Say what the iteration came to; the one place that waits for the device."""
        part, near = next(self._parts(traj, reference))
        logprobs, entropy = self.policy.evaluate(part)
        ratio = (logprobs - part.logprobs).exp()
        outside = (ratio < 1.0 - self._low(k)) | (ratio > 1.0 + self._high(k))
        found = {
            "entropy": masked_mean(entropy, part.mask),
            "kl": masked_mean(k3(part.logprobs, logprobs, part.mask), part.mask),
            "clipped": masked_mean(outside.float(), part.mask),
        }
        if self.reference is not None:
            found["kl_reference"] = masked_mean(k3(logprobs, near, part.mask), part.mask)
        numbers = dist.mean(torch.stack(list(found.values()))).tolist()
        return dict(zip(found, numbers, strict=True)) | {"lr": self._lr(k)}


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent for an environment.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, group=1, max_steps=1, batch=1, micro=0, epochs=1, kl=0, entropy=0, recurrent=0)
    for name, known in (("advantage", Advantage), ("how", How), ("estimator", Estimator)):
        if getattr(config, name) not in get_args(known):
            raise ValueError(
                f"{name} is {getattr(config, name)!r}; choose one of {', '.join(map(repr, get_args(known)))}"
            )
    if config.seeds > 1:
        return Several(config, seed, lambda one, at: _in(env, one, at))
    return _in(env, config, seed)


def _in(env: gym.Env[Any, Any], config: Config, seed: int) -> GRPO:
    where = dist.setup(device(config.device))
    worlds = Worlds(env, share(config.envs), seed, config.vector)
    policy = ActorCritic(
        worlds.senses,
        worlds.action_space,
        config.hidden,
        config.activation,
        generator=weight_generator(seed),
        recurrent=config.recurrent,
        critic=False,
        log_std=config.log_std,
    ).to(where)
    use_threads(config.threads, sum(p.numel() for p in policy.parameters()), 100 * config.batch)
    acting = Acting(policy, worlds.senses, worlds.action_space, where, seed)
    return GRPO(Episodes(worlds, policy, where, config.group, config.max_steps), policy, acting, config, seed)

"""GRPO: the clipped surrogate with advantages relative to episodes of the same start; Shao et al., arXiv:2402.03300.

A_i = (R_i - mean) / std over the group of episode i, the same at each of its steps; no critic. Config fields make its relatives, from REINFORCE
to OPMD: `rlkit.pg.family` has the table, and the presets their settings (`--preset drgrpo`). The class knows a sampler and a policy, be they of
environments or of a language model.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.data import Trajectories
from rlkit.pg.baselines import alike
from rlkit.pg.correction import Correction, correct
from rlkit.pg.family import DIVERGENCES, Advantage, Estimator, Loss, Place, advantage, refuse, row_scores, surrogate
from rlkit.pg.kl import k1, k3
from rlkit.pg.losses import clipped_surrogate
from rlkit.pg.measures import mismatch, movement
from rlkit.pg.reduce import How, aggregate, count, masked_mean
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import use_threads
from rlkit.policies.protocol import Learner
from rlkit.policies.state import Weights
from rlkit.sample.acting import Acting
from rlkit.sample.config import Stochastic, check, rate
from rlkit.sample.draws import minibatches
from rlkit.sample.episodes import Episodes, Sampler, outcomes, steps_of
from rlkit.sample.language import Language
from rlkit.sample.model_part import ModelPart
from rlkit.sample.scene import Scene
from rlkit.sample.several import one_or_several
from rlkit.sample.speaking import Speaking
from rlkit.sample.tokens import answering
from rlkit.sample.training import Part, Training
from rlkit.tabular.schedule import Rate

CHOICES = {
    "advantage": Advantage,
    "loss": Loss,
    "how": How,
    "estimator": Estimator,
    "kl_in": Place,
    "correction": Correction,
}


@dataclass(frozen=True)
class Config(Stochastic):
    """GRPO."""

    gamma: float = 1.0  # discount within R = Σ γᵗ r
    envs: int = 64  # episodes of an iteration, over all processes
    group: int = 8  # episodes of each start
    max_steps: int = 1_000  # of an episode; a longer one is cut
    batch: int = 64  # episodes of a minibatch
    micro: int = 0  # episodes that go through the net at a time; 0: the minibatch
    epochs: int = 4
    lr: Rate = 3e-3  # of Adam
    advantage: Advantage = "population"  # the deviation that divides R - mean, or "none"; R less the others' mean; R itself, or what is still to come of it
    whiten: bool = False  # advantages less their mean, over their deviation, of all steps of the iteration
    loss: Loss = "clip"  # "gspo" clips the ratio of whole rows, "cispo" a constant weight; see rlkit.pg.losses
    how: How = "token"  # "token": all steps count alike; "sequence": all episodes; "constant": steps, each 1 / length
    length: int = 0  # that "constant" divides by; 0: max_steps
    clip: Rate = 0.2  # the ratio's gain counts down to 1 - clip
    clip_high: Rate | None = None  # and up to 1 + clip_high; None: clip
    cap: float = 3.0  # of "dual-clip": the ratio on bad actions counts up to here
    tau: float = 0.1  # of "opmd": weight of the squared log-ratio of an episode
    kl: float = 0.0  # weight of the divergence from the policy at the start
    estimator: Estimator = (
        "k3"  # of the divergence: "k1" is taken off the rewards, the others stand in the loss; see rlkit.pg.kl
    )
    kl_in: Place = "auto"  # where the divergence stands
    recompute: bool = False  # old log-probabilities from the net that learns, where the sampler's differ by rounding
    correction: Correction = (
        "none"  # for a sampler that differs: its ratio to `recompute`, truncated (tis) or masked (mis)
    )
    correction_low: float = 0.0  # least ratio that "mis" keeps
    correction_high: float = 2.0  # greatest ratio
    mask_truncated: bool = False  # an episode that was cut is in its group's baseline and not in the loss
    reset: bool = False  # the optimizer begins anew with each iteration, as OPMD's does


class Lesson(NamedTuple):
    """What an iteration learns from."""

    traj: Trajectories  # the old log-probabilities are those that the ratio is taken to, the mask says what is in the loss
    advantages: Tensor  # [B, T]
    reference: Tensor  # [B, T]  log-probabilities under the policy at the start; zeros where nobody asks
    sampled: Tensor  # [B, T]  the sampler's log-probabilities


class GRPO:
    """One run.

    Args:
        sampler: gives trajectories whose `group` says which rows share a start.
        policy: a net that says how likely it finds their actions.
        acting: what acts outside training.
        config: the configuration.
        seed: of the order of minibatches and of what the sampler draws.
        weights: the policy's, as a checkpoint keeps them; left out: as arrays.
        sparing: rows that change nothing are not read, and reports look at one row of each group: for policies that cost more
            than all else.
    """

    def __init__(
        self,
        sampler: Sampler,
        policy: Learner,
        acting: Acting | Speaking,
        config: Config,
        seed: int,
        weights: Part | None = None,
        *,
        sparing: bool = False,
    ) -> None:
        self.config, self.sampler, self.policy = config, sampler, policy
        self.reference = copy.deepcopy(policy) if config.kl else None
        self.optimizer = Adam(policy.parameters(), epsilon=1e-5)
        parts = {
            "policy": weights or Weights(policy),
            "reference": None if self.reference is None else Weights(self.reference),
            "optimizer": self.optimizer,
            "sampler": sampler,
        }
        self.training = Training(config, seed, parts, whole=True)
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        self.views = self.training.views
        self.last: Lesson | None = None  # for who wants to see it
        self._acting, self._gradient = acting, torch.empty_like(self.optimizer.flat) if sparing else None
        self._sample = slice(None, None, config.group if sparing else None)
        everything = config.loss == "opmd" or config.entropy or (config.kl and config.estimator != "k1")
        self._advantages_only = sparing and not everything  # a row whose advantages are 0 has no gradient
        self._low = rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self._acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions, and of an episode's beginning."""
        self._acting.attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole iterations."""
        training, end = self.training, self.training.ask(steps)
        while training.step < end:
            played = self.sampler.collect(training.rng)
            lesson, k = self.prepare(played), training.step + 1
            self.last = lesson
            if self.config.reset:
                self.optimizer.reset()
            for _ in range(self.config.epochs):
                for rows in minibatches(training.rng, len(played.mask), self.config.batch, played.mask.device):
                    part = [x[rows] for x in (lesson.advantages, lesson.reference)]
                    gradient = self.gradient(lesson.traj.select(rows), *part, low=self._low(k), high=self._high(k))
                    self.optimizer.step(dist.mean_(gradient), training.lr(k), self.config.max_grad_norm)
            if training.counted(steps_of(played), outcomes(played)):
                yield training.report(self._measure(lesson, played.mask, k), lr=training.lr(k))

    @torch.no_grad()
    def prepare(self, traj: Trajectories) -> Lesson:
        """Return what there is to learn from episodes: their advantages, corrected for the sampler, and what is in the loss."""
        config, sampled = self.config, traj.logprobs
        if config.recompute:
            traj = replace(traj, logprobs=self._said(self.policy, traj))
        reference = torch.zeros_like(traj.logprobs) if self.reference is None else self._said(self.reference, traj)
        advantages = self.advantages(traj, reference)
        if config.correction != "none":  # what multiplies the loss may as well multiply the advantage: it is positive
            bounds = config.correction_low, config.correction_high
            advantages = advantages * correct(config.correction, traj.logprobs, sampled, traj.mask, *bounds)
        if config.mask_truncated:
            traj = replace(traj, mask=traj.mask & ~(traj.truncated & traj.mask).any(1, keepdim=True))
        return Lesson(traj, advantages, reference, sampled)

    def advantages(self, traj: Trajectories, reference: Tensor) -> Tensor:
        """Return A of each step, [B, T]; every group is whole on one process.

        Args:
            traj: whole episodes.
            reference: log-probabilities under the policy at the start, [B, T]; read where the divergence is taken off the rewards.
        """
        config, rewards = self.config, traj.rewards
        if config.kl and config.estimator == "k1":
            rewards = rewards - config.kl * k1(traj.logprobs, reference, traj.mask)
        kind, gamma, across = config.advantage, config.gamma, dist.mean
        return advantage(kind, rewards, traj.mask, traj.group, gamma=gamma, whitened=config.whiten, across=across)

    def gradient(self, traj: Trajectories, advantages: Tensor, reference: Tensor, *, low: float, high: float) -> Tensor:
        """Return the gradient of the loss of a minibatch on this process, [P], summed over parts of `micro` rows.

        A sparing agent's holds until the next one is asked for.
        """
        config, how = self.config, self.config.how
        denominator = dist.mean(count(traj.mask, how, config.length or config.max_steps))
        total = torch.zeros_like(self.optimizer.flat) if self._gradient is None else self._gradient.zero_()
        if self._advantages_only:
            traj = replace(traj, mask=traj.mask & (advantages != 0.0).any(1, keepdim=True))
        for part, gains, reference_logprobs in self._parts(traj, advantages, reference):
            logprobs, entropy = self.policy.evaluate(part)
            said = logprobs, part.logprobs, gains, part.mask
            if config.loss == "clip":
                loss = clipped_surrogate(*said, low=low, high=high)
            else:
                loss = surrogate(config.loss, *said, low=low, high=high, cap=config.cap, tau=config.tau)
            if config.kl and config.estimator != "k1":
                divergence = DIVERGENCES[config.estimator]
                loss = loss + config.kl * divergence(logprobs, reference_logprobs, part.mask)
            if config.entropy:
                loss = loss - config.entropy * entropy
            self.optimizer.add_gradient(total, aggregate(loss, part.mask, how, denominator))
        return total

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
    def _measure(self, lesson: Lesson, played: Tensor, k: int) -> dict[str, Tensor]:
        """Say what the iteration came to, in numbers that stay on the device. `played`: the mask of all steps."""
        config, traj = self.config, lesson.traj
        looked_at = (x[self._sample] for x in (lesson.reference, lesson.sampled, played))
        part, near, sampled, whole = next(self._parts(traj.select(self._sample), *looked_at))
        logprobs, entropy = self.policy.evaluate(part)
        found = movement(logprobs, part.logprobs, entropy, part.mask, self._low(k), self._high(k))
        found["alike"] = alike(row_scores(traj.rewards, played, config.gamma), traj.group).float()
        if self.reference is not None:
            found["kl_reference"] = masked_mean(k3(logprobs, near, part.mask), part.mask)
        if config.recompute:
            bounds = config.correction_low, config.correction_high
            found |= mismatch(config.correction, part.logprobs, sampled, whole, *bounds)
        return found


def make(env: gym.Env[Any, Any] | Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for an environment, or for a language model and its task; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    _check(config)
    if isinstance(env, Language):
        several = config.seeds > 1
        return one_or_several(config, seed, lambda one, at: _speaking(copy.deepcopy(env) if several else env, one, at))
    return one_or_several(config, seed, lambda one, at: _in(env, one, at))


def _check(config: Config) -> None:
    """Refuse settings that no run can have, or that are not what their name says."""
    least = {"length": 0, "cap": 1, "tau": 0, "kl": 0, "entropy": 0, "recurrent": 0, "correction_low": 0}
    check(config, group=1, max_steps=1, batch=1, micro=0, epochs=1, **least, correction_high=config.correction_low)
    for name, known in CHOICES.items():
        if getattr(config, name) not in get_args(known):
            raise ValueError(
                f"{name} is {getattr(config, name)!r}; choose one of {', '.join(map(repr, get_args(known)))}"
            )
    refuse(config.loss, config.how, config.estimator, config.kl_in, config.correction, config.recompute)


def _in(env: gym.Env[Any, Any], config: Config, seed: int) -> GRPO:
    scene = Scene(env, config, seed)
    policy = ActorCritic(
        *scene.net, generator=scene.weights, recurrent=config.recurrent, critic=False, log_std=config.log_std
    ).to(scene.device)
    use_threads(config.threads, sum(p.numel() for p in policy.parameters()), 100 * config.batch)
    sampler = Episodes(scene.worlds, policy, scene.device, config.group, config.max_steps)
    return GRPO(sampler, policy, scene.acting(policy), config, seed)


def _speaking(language: Language, config: Config, seed: int) -> GRPO:
    sampler = answering(language, config.envs, config.group, config.max_steps, recompute=config.recompute)
    policy = language.policy
    use_threads(config.threads, sum(p.numel() for p in policy.parameters()), 100 * config.batch)
    acting = Speaking(language, config.max_steps, seed)
    return GRPO(sampler, policy, acting, config, seed, ModelPart(language), sparing=True)

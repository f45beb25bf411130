"""PPO for a language model, with a critic of tokens: Ouyang et al., arXiv:2203.02155 section 3.5, on arXiv:1707.06347 eq. 7.

A token is an action, ρ_t = r_t - β (log π_old - log π_ref) its reward, the verdict on the answer the last one's; Â is GAE's with γ = 1, made to
mean 0 and deviation 1 over the batch's tokens, and the critic's targets are Â + V. The formulas are `ppo`'s. The critic is a copy of the model with
a head and an optimizer of its own, so that no coefficient weighs its loss against the policy's.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, get_args

import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.data import Trajectories
from rlkit.pg.kl import k1, k3
from rlkit.pg.losses import clipped_surrogate, clipped_value_loss, value_loss
from rlkit.pg.measures import explained, movement
from rlkit.pg.reduce import How, aggregate, count, masked_mean, whiten
from rlkit.pg.returns import following, gae
from rlkit.policies.adam import Adam
from rlkit.policies.critic import Critic
from rlkit.policies.machine import use_threads
from rlkit.policies.protocol import Learner
from rlkit.policies.state import Weights
from rlkit.sample.config import Deep, check, rate
from rlkit.sample.draws import minibatches
from rlkit.sample.episodes import Sampler, outcomes, steps_of
from rlkit.sample.language import Language
from rlkit.sample.model_part import ModelPart
from rlkit.sample.several import one_or_several
from rlkit.sample.speaking import Speaking
from rlkit.sample.tokens import answering
from rlkit.sample.training import Part, Training
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Deep):
    """PPO with a critic of tokens."""

    gamma: float = 1.0  # discount from token to token
    lam: float = 0.95  # λ of GAE
    envs: int = 32  # answers of an iteration, over all processes
    group: int = 1  # answers to each prompt
    max_steps: int = 64  # tokens of an answer; a longer one is cut
    batch: int = 32  # answers of a minibatch
    micro: int = 0  # answers that go through the models at a time; 0: the minibatch
    epochs: int = 4
    lr: Rate = 4e-5  # of Adam
    critic_lr: Rate | None = None  # of the critic's; None: lr
    max_grad_norm: float = 1.0  # gradients are scaled down to this global norm, the policy's and the critic's each
    how: How = "token"  # "token": all tokens count alike; "sequence": all answers; "constant": tokens, each 1 / length
    length: int = 0  # that "constant" divides by; 0: max_steps
    clip: Rate = 0.2  # the ratio's gain counts down to 1 - clip
    clip_high: Rate | None = None  # and up to 1 + clip_high; None: clip
    value_clip: float = 0.2  # the critic's change in an iteration that counts; 0: any
    whiten: bool = True  # advantages less their mean, over their deviation, of all tokens of the iteration
    kl: float = 0.02  # β, weight of the divergence from the model at the start, taken off the rewards
    entropy: float = 0.0  # weight of the entropy bonus
    bootstrap: bool = False  # an answer that was cut ends in the critic's value, not in 0


class Values(Protocol):
    """Anything that says what prefixes are worth, and learns it."""

    def values(self, traj: Trajectories) -> tuple[Tensor, Tensor]:
        """Return V before each chosen token, [B, T], and after the last one of each row, [B]."""
        ...

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """Return its weights."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return its weights by name."""
        ...


class Lesson(NamedTuple):
    """What an iteration learns from, [B, T] but for the trajectories."""

    traj: Trajectories
    advantages: Tensor
    targets: Tensor  # of the critic
    values: Tensor  # of the critic, as they were
    reference: Tensor  # log-probabilities under the model at the start; zeros where nobody asks

    def select(self, rows: Tensor | slice) -> "Lesson":
        """Return some rows of it."""
        return Lesson(self.traj.select(rows), *(x[rows] for x in self[1:]))


class TokenPPO:
    """One run.

    Args:
        sampler: gives whole answers.
        policy: says how likely it finds their tokens.
        critic: says what is still to come.
        acting: what acts outside training.
        config: the configuration.
        seed: of the order of minibatches and of what the sampler draws.
        weights: the policy's, as a checkpoint keeps them; left out: as arrays.
    """

    def __init__(
        self,
        sampler: Sampler,
        policy: Learner,
        critic: Values,
        acting: Speaking,
        config: Config,
        seed: int,
        weights: Part | None = None,
    ) -> None:
        self.config, self.sampler, self.policy, self.critic, self._acting = config, sampler, policy, critic, acting
        self.reference = copy.deepcopy(policy) if config.kl else None
        self.optimizer, self.critic_optimizer = (Adam(net.parameters(), epsilon=1e-5) for net in (policy, critic))
        parts = {
            "policy": weights or Weights(policy),
            "critic": Weights(critic),
            "reference": None if self.reference is None else Weights(self.reference),
            "optimizer": self.optimizer,
            "critic_optimizer": self.critic_optimizer,
            "sampler": sampler,
        }
        self.training = Training(config, seed, parts, whole=True)
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        self.views = self.training.views
        self.act, self.attend = acting.act, acting.attend
        self._low = rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)
        self._critic_lr = self.training.lr if config.critic_lr is None else rate(config.critic_lr, "critic_lr", config)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more tokens, in whole iterations."""
        training, end, config = self.training, self.training.ask(steps), self.config
        while training.step < end:
            traj = self.sampler.collect(training.rng)
            lesson, k = self.prepare(traj), training.step + 1
            for _ in range(config.epochs):
                for rows in minibatches(training.rng, len(traj.mask), config.batch, traj.mask.device):
                    own, critics = self.gradient(lesson.select(rows), low=self._low(k), high=self._high(k))
                    self.optimizer.step(dist.mean(own), training.lr(k), config.max_grad_norm)
                    self.critic_optimizer.step(dist.mean(critics), self._critic_lr(k), config.max_grad_norm)
            if training.counted(steps_of(traj), outcomes(traj)):
                yield training.report(self._measure(lesson, k), lr=training.lr(k))

    @torch.no_grad()
    def prepare(self, traj: Trajectories) -> Lesson:
        """Return what there is to learn from answers: rewards less the divergence, then GAE over the tokens that the model chose."""
        config, mask, rewards = self.config, traj.mask, traj.rewards
        reference = torch.zeros_like(traj.logprobs)
        if self.reference is not None:
            reference = torch.cat([self.reference.evaluate(part).logprobs for part in self._parts(traj)])
            rewards = rewards - config.kl * k1(traj.logprobs, reference, mask)
        values, last = (
            torch.cat(x) for x in zip(*(self.critic.values(part) for part in self._parts(traj)), strict=True)
        )
        ends = traj.terminated if config.bootstrap else traj.terminated | traj.truncated
        ahead = following(values, last, mask)
        advantages = gae(rewards, values, ahead, ends, traj.truncated, mask, gamma=config.gamma, lam=config.lam)
        gains = whiten(advantages, mask, dist.mean) if config.whiten else advantages
        return Lesson(traj, gains, advantages + values, values, reference)

    def gradient(self, lesson: Lesson, *, low: float, high: float) -> tuple[Tensor, Tensor]:
        """Return the gradients of the policy's and the critic's loss of a minibatch on this process, summed over parts of `micro` rows."""
        config, how = self.config, self.config.how
        denominator = dist.mean(count(lesson.traj.mask, how, config.length or config.max_steps))
        own, critics = torch.zeros_like(self.optimizer.flat), torch.zeros_like(self.critic_optimizer.flat)
        for part in self._parts(lesson):
            traj, mask = part.traj, part.traj.mask
            logprobs, entropy = self.policy.evaluate(traj)
            loss = clipped_surrogate(logprobs, traj.logprobs, part.advantages, mask, low=low, high=high)
            own += self.optimizer.gradient(aggregate(loss - config.entropy * entropy, mask, how, denominator))
            values, _ = self.critic.values(traj)
            if config.value_clip:
                error = clipped_value_loss(values, part.values, part.targets, mask, clip=config.value_clip)
            else:
                error = value_loss(values, part.targets, mask)
            critics += self.critic_optimizer.gradient(aggregate(error, mask, how, denominator))
        return own, critics

    def _parts(self, whole: Any) -> Iterator[Any]:
        """Stretches of at most `micro` rows of trajectories, or of a lesson."""
        rows = len(whole.mask if isinstance(whole, Trajectories) else whole.traj.mask)
        size = self.config.micro or rows
        for start in range(0, rows, size or 1):
            yield whole.select(slice(start, start + size))

    @torch.no_grad()
    def _measure(self, lesson: Lesson, k: int) -> dict[str, Tensor]:
        """Say what the iteration came to, of its first `micro` answers, in numbers that stay on the device."""
        part = next(self._parts(lesson))
        traj, mask = part.traj, part.traj.mask
        logprobs, entropy = self.policy.evaluate(traj)
        found = movement(logprobs, traj.logprobs, entropy, mask, self._low(k), self._high(k))
        values, _ = self.critic.values(traj)
        found["value_loss"] = masked_mean(value_loss(values, part.targets, mask), mask)
        found["explained"] = explained(part.values, part.targets, mask)
        if self.reference is not None:
            found["kl_reference"] = masked_mean(k3(logprobs, part.reference, mask), mask)
        return found


def make(env: Language, config: Config, seed: int = 0) -> Agent:
    """Build the agent for a language model and its task; the model learns in place.

    Raises:
        ValueError: naming a field of the configuration that makes no sense, or what is no language model.
    """
    if not isinstance(env, Language):
        raise ValueError(f"token_ppo learns with a language model and a task, and {env} is none; take ppo")
    unit = ("lam", "entropy", "value_clip", "kl", "length", "micro")
    check(config, group=1, max_steps=1, batch=1, epochs=1, **dict.fromkeys(unit, 0))
    if config.lam > 1.0:
        raise ValueError(f"lam is {config.lam}; it must lie between 0 and 1")
    if config.how not in get_args(How):
        raise ValueError(f"how is {config.how!r}; choose one of {', '.join(map(repr, get_args(How)))}")
    several = config.seeds > 1
    return one_or_several(config, seed, lambda one, at: _speaking(copy.deepcopy(env) if several else env, one, at))


def _speaking(language: Language, config: Config, seed: int) -> TokenPPO:
    sampler, policy = answering(language, config.envs, config.group, config.max_steps), language.policy
    use_threads(config.threads, 2 * sum(p.numel() for p in policy.parameters()), 100 * config.batch)
    critic = Critic(copy.deepcopy(policy.model))
    return TokenPPO(
        sampler, policy, critic, Speaking(language, config.max_steps, seed), config, seed, ModelPart(language)
    )

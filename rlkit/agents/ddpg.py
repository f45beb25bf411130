"""DDPG: the deterministic actor-critic, Zhao 10.4 and algorithm 10.4, with nets, replay and target nets; Lillicrap et al., arXiv:1509.02971.

    y = r + γ Q'(s', μ'(s'))    φ: least squares (Q(s, a) - y)² / 2    θ: up ∇_θ μ(s) ∇_a Q(s, a) at a = μ(s)

The behaviour is μ with normal noise, not the paper's Ornstein-Uhlenbeck process. Box actions with bounds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.pg.q_targets import least, smoothed, squared_loss, td_target
from rlkit.pg.reduce import count, shares, weighted_sum
from rlkit.policies.adam import Adam
from rlkit.policies.continuous import Critics, Deterministic
from rlkit.policies.machine import device, use_threads
from rlkit.policies.state import load_module, module_state
from rlkit.policies.target import Target
from rlkit.sample.acting import Acting
from rlkit.sample.config import check, rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.experience import Drawn, Experience, OffPolicy
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.several import Several
from rlkit.sample.worlds import Worlds


@dataclass(frozen=True)
class Config(OffPolicy):
    """DDPG."""

    batch: int = 256
    tau: float = 0.005  # how far target nets move after each learning step
    noise: float = 0.1  # standard deviation of the behaviour's noise, where actions reach from -1 to 1
    max_grad_norm: float = 10.0


class Care(NamedTuple):
    """What TD3 adds, arXiv:1802.09477."""

    critics: int = 1  # the least of them is the target's value
    delay: int = 1  # learning steps of the critics for one of the actor
    sigma: float = 0.0  # of the noise on the target's actions
    clip: float = 0.0  # of that noise


class DDPG:
    """One run, of DDPG or with more care of TD3."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int, care: Care) -> None:
        self.config, self.care = config, care
        self.device = dist.setup(device(config.device))
        self.worlds = Worlds(env, share(config.envs), seed, config.vector)
        senses, space, weights = self.worlds.senses, self.worlds.action_space, weight_generator(seed)
        net = (senses, space, config.hidden, config.activation)
        self.policy = Deterministic(*net, generator=weights, noise=config.noise).to(self.device)
        self.critics = Critics(*net, generator=weights, count=care.critics).to(self.device)
        self.policy_target, self.critics_target = Target(self.policy), Target(self.critics)
        self.actor, self.critic = Adam(self.policy.parameters()), Adam(self.critics.parameters())
        self.rng = agent_generator(seed)
        self.experience = Experience(self.worlds, self.policy, self.device, config)
        self.step = 0
        self._acting = Acting(self.policy, senses, space, self.device, seed)
        self._lr = rate(config.lr, "lr", config)
        self._last: dict[str, Tensor] = {}  # what the last batch came to
        use_threads(config.threads, self.critic.flat.numel(), config.batch)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return μ(s) for an observation or a batch of them, or with `explore` with noise."""
        return self._acting.act(obs, explore=explore)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps."""
        end, chunk, reported = self.step + steps, every(self.config, steps), self.step
        while self.step < end:
            due = self.experience.play(self.rng, self.step)
            self.step += self.config.envs
            for drawn in self.experience.batches(self.rng, due):
                self._learn(drawn)
            if self.step >= min(reported + chunk, end):
                reported = self.step
                yield Report(self.step, episodes(self.worlds.finished) | self._measure())

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "policy": module_state(self.policy),
            "critics": module_state(self.critics),
            "policy_target": module_state(self.policy_target.net),
            "critics_target": module_state(self.critics_target.net),
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "generator": self.rng.bit_generator.state,
            "experience": self.experience.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of other nets, or of other worlds.
        """
        load_module(self.policy, state["policy"])
        load_module(self.critics, state["critics"])
        load_module(self.policy_target.net, state["policy_target"])
        load_module(self.critics_target.net, state["critics_target"])
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.experience.load_state_dict(state["experience"])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])

    def _learn(self, drawn: Drawn) -> None:
        """Take a learning step for each batch."""
        config, care, alpha = self.config, self.care, self._lr(self.step)
        mask = drawn.rows.mask
        weights = shares(mask, "token", dist.mean(count(mask, "token") / len(drawn.own)))
        noise = care.sigma * drawn.draws(self.rng, self.policy.head.draws)
        low = torch.full_like(self.policy.range.reach, -1.0)
        for part, (share_, epsilon) in drawn.parts(weights, noise):
            obs, next_obs = part.obs[:, 0], part.next_obs[:, 0]
            with torch.no_grad():
                unit = smoothed(self.policy_target.net.unit(next_obs), epsilon, clip=care.clip, low=low, high=-low)
                ahead = least(self.critics_target.net(next_obs, self.policy.range.scaled(unit)))
                target = td_target(part.rewards[:, 0], part.discounts[:, 0], ahead)
            q = self.critics(obs, part.actions[:, 0])  # [C, B]
            loss = squared_loss(q, target.expand_as(q), part.mask.T.expand_as(q))
            gradient = self.critic.gradient(weighted_sum(loss, share_.T))
            self.critic.step(dist.mean(gradient), alpha, config.max_grad_norm)
            self._last |= {"q": q.detach().mean(), "critic_loss": loss.detach().mean()}
            if self.critic.count % care.delay == 0:
                value = self.critics.first(obs, self.policy(obs))
                gradient = self.actor.gradient(weighted_sum(-value, share_[:, 0]))
                self.actor.step(dist.mean(gradient), alpha, config.max_grad_norm)
                self.policy_target.follow(self.actor.flat, config.tau)
                self.critics_target.follow(self.critic.flat, config.tau)

    def _measure(self) -> dict[str, float]:
        """Say what the last batch came to; the one place that waits for the device."""
        return checked(
            {name: float(dist.mean(x)) for name, x in self._last.items()} | {"lr": self._lr(self.step)}, self.step
        )


def build(env: gym.Env[Any, Any], config: Config, seed: int, care: Care) -> Agent:
    """Build an agent with or without care.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    whole = ("capacity", "batch", "train_every", "gradient_steps", "n_step")
    check(config, warmup=0, noise=0, **dict.fromkeys(whole, 1))
    if not 0.0 < config.tau <= 1.0:
        raise ValueError(f"tau is {config.tau}; it must lie in (0, 1]")
    if config.seeds == 1:
        return DDPG(env, config, seed, care)
    return Several(config, seed, lambda one, at: DDPG(env, one, at, care))


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent."""
    return build(env, config, seed, Care())

"""DDPG: the deterministic actor-critic, Zhao 10.4 and algorithm 10.4, with nets, replay and target nets; Lillicrap et al., arXiv:1509.02971.

    y = r + γ Q'(s', μ'(s'))    φ: least squares (Q(s, a) - y)² / 2    θ: up ∇_θ μ(s) ∇_a Q(s, a) at a = μ(s)

The behaviour is μ with normal noise, not the paper's Ornstein-Uhlenbeck process. Box actions with bounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.pg.q_targets import least, smoothed, squared_loss, td_target
from rlkit.pg.reduce import weighted_sum
from rlkit.policies.adam import Adam
from rlkit.policies.continuous import Critics, Deterministic
from rlkit.policies.machine import use_threads
from rlkit.policies.state import Weights
from rlkit.policies.target import Target
from rlkit.sample.experience import Critical, Drawn, check_critical
from rlkit.sample.replayer import Replayer
from rlkit.sample.scene import Scene
from rlkit.sample.several import one_or_several
from rlkit.sample.training import Part


@dataclass(frozen=True)
class Config(Critical):
    """DDPG."""

    noise: float = 0.1  # standard deviation of the behaviour's noise, where actions reach from -1 to 1


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
        scene = Scene(env, config, seed)
        first: dict[str, Any] = {"generator": scene.weights, "normalise": config.normalise_obs}
        self.policy = Deterministic(*scene.net, **first, noise=config.noise).to(scene.device)
        self.critics = Critics(*scene.net, **first, count=care.critics).to(scene.device)
        self.policy_target, self.critics_target = Target(self.policy), Target(self.critics)
        self.actor, self.critic = Adam(self.policy.parameters()), Adam(self.critics.parameters())
        parts: dict[str, Part] = {
            "policy": Weights(self.policy),
            "critics": Weights(self.critics),
            "policy_target": Weights(self.policy_target.net),
            "critics_target": Weights(self.critics_target.net),
            "actor": self.actor,
            "critic": self.critic,
        }
        nets = (self.policy, self.critics, self.policy_target.net, self.critics_target.net)
        self.player = Replayer(scene, self.policy, config, seed, parts, nets)
        self.act = self.player.acting.act
        self.state_dict, self.load_state_dict = self.player.state_dict, self.player.load_state_dict
        self._last: dict[str, Tensor] = {}  # what the last batch came to
        use_threads(config.threads, self.critic.flat.numel(), config.batch)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps."""
        player, end = self.player, self.player.ask(steps)
        while player.step < end:
            for drawn in player.play():
                self._learn(drawn)
            if player.due:
                yield player.report(self._last)

    def _learn(self, drawn: Drawn) -> None:
        """Take a learning step for each batch."""
        config, care, alpha = self.config, self.care, self.player.lr
        noise = care.sigma * drawn.draws(self.player.rng, self.policy.head.draws)
        low = torch.full_like(self.policy.range.reach, -1.0)
        for part, (share, epsilon) in drawn.parts(drawn.shares(), noise):
            rows = part.single()
            with torch.no_grad():
                unit = smoothed(self.policy_target.net.unit(rows.next_obs), epsilon, clip=care.clip, low=low, high=-low)
                ahead = least(self.critics_target.net(rows.next_obs, self.policy.range.scaled(unit)))
                target = td_target(rows.rewards, rows.discounts, ahead)
            q = self.critics(rows.obs, rows.actions)  # [C, B]
            loss = squared_loss(q, target.expand_as(q), rows.mask.expand_as(q))
            gradient = self.critic.gradient(weighted_sum(loss, share))
            self.critic.step(dist.mean(gradient), alpha, config.max_grad_norm)
            self._last |= {"q": q.detach().mean(), "critic_loss": loss.detach().mean()}
            if self.critic.count % care.delay == 0:
                value = self.critics.first(rows.obs, self.policy(rows.obs))
                gradient = self.actor.gradient(weighted_sum(-value, share))
                self.actor.step(dist.mean(gradient), alpha, config.max_grad_norm)
                self.policy_target.follow(self.actor.flat, config.tau)
                self.critics_target.follow(self.critic.flat, config.tau)


def build(env: gym.Env[Any, Any], config: Config, seed: int, care: Care) -> Agent:
    """Build an agent with or without care.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check_critical(config, noise=0)
    return one_or_several(config, seed, lambda one, at: DDPG(env, one, at, care))


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent."""
    return build(env, config, seed, Care())

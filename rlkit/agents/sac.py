"""SAC: soft actor-critic with two critics and automatic temperature; Haarnoja et al., arXiv:1812.05905, and for discrete actions arXiv:1910.07207.

    V'(s) = E_a[min_i Q'_i(s, a) - α log π(a|s)]    y = r + γ V'(s')    π: up E_a[min_i Q_i(s, a) - α log π(a|s)]    α: E[-log π] → H̄

Box actions with bounds: one action is drawn, squashed by tanh. Discrete actions: the expectation is taken whole.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.pg.q_targets import expected_soft_value, least, soft_value, squared_loss, td_target
from rlkit.pg.reduce import weighted_sum
from rlkit.policies.adam import Adam
from rlkit.policies.continuous import Critics, Squashed
from rlkit.policies.machine import use_threads
from rlkit.policies.soft import Chooser, Tables, Temperature
from rlkit.policies.state import Weights
from rlkit.policies.target import Target
from rlkit.sample.experience import Critical, Drawn, check_critical
from rlkit.sample.replayer import Replayer
from rlkit.sample.scene import Scene
from rlkit.sample.several import one_or_several
from rlkit.sample.training import Part

_SHARE = 0.5  # of log A, the entropy that discrete actions are held at; the paper's 0.98 leaves them nearly random


@dataclass(frozen=True)
class Config(Critical):
    """SAC."""

    temperature: float = 0.0  # α; 0: found so that the entropy is target_entropy
    target_entropy: float = 0.0  # H̄; 0: minus the number of dimensions, for discrete actions half of log A


class SAC:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        scene = Scene(env, config, seed)
        first: dict[str, Any] = {"generator": scene.weights, "normalise": config.normalise_obs}
        self.policy: Squashed | Chooser
        self.critics: Critics | Tables
        if isinstance(scene.worlds.action_space, gym.spaces.Discrete):
            self.policy = Chooser(*scene.net, **first).to(scene.device)
            self.critics = Tables(*scene.net, **first, count=2).to(scene.device)
            goal = _SHARE * math.log(self.policy.head.size)
        else:
            self.policy = Squashed(*scene.net, **first).to(scene.device)
            self.critics = Critics(*scene.net, **first, count=2).to(scene.device)
            goal = -float(self.policy.head.draws)
        self.goal = config.target_entropy or goal
        self.target = Target(self.critics)
        self.temperature = Temperature(config.temperature or 1.0, scene.device)
        self.actor, self.critic = Adam(self.policy.parameters()), Adam(self.critics.parameters())
        self.warmth = Adam([self.temperature.log])
        parts: dict[str, Part] = {
            "policy": Weights(self.policy),
            "critics": Weights(self.critics),
            "target": Weights(self.target.net),
            "log_temperature": self.temperature,
            "actor": self.actor,
            "critic": self.critic,
            "warmth": self.warmth,
        }
        nets = (self.policy, self.critics, self.target.net)
        self.player = Replayer(scene, self.policy, config, seed, parts, nets)
        self.act, self.attend = self.player.acting.act, self.player.acting.attend
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

    def soft(
        self, critics: Critics | Tables, obs: Tensor, allowed: Tensor | None, draws: Tensor, temperature: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return V(s) and the policy's entropy by critics, both [N], with gradient.

        Args:
            critics: that say what actions are worth.
            obs: [N, *shape].
            allowed: bool [N, A] or None.
            draws: standard normal [N, D]; discrete actions need none.
            temperature: α.
        """
        if isinstance(self.policy, Squashed) and isinstance(critics, Critics):
            actions, logprobs = self.policy.sample(obs, draws)
            return soft_value(least(critics(obs, actions)), logprobs, temperature), -logprobs
        assert isinstance(self.policy, Chooser)  # noqa: S101 - the other of the two
        logs = self.policy.logprobs(obs, allowed)
        return expected_soft_value(least(critics(obs)), logs, temperature), -(logs.exp() * logs).sum(-1)

    def _learn(self, drawn: Drawn) -> None:
        """Take a learning step for each batch."""
        config, player, alpha = self.config, self.player, self.player.lr
        normal = [drawn.draws(player.rng, self.policy.head.draws) for _ in range(2)]
        for part, (share, ahead_draws, draws) in drawn.parts(drawn.shares(), *normal):
            rows, temperature = part.single(), self.temperature.now
            with torch.no_grad():
                ahead, _ = self.soft(self.target.net, rows.next_obs, rows.next_allowed, ahead_draws, temperature)
                target = td_target(rows.rewards, rows.discounts, ahead)
            q = self._taken(rows.obs, rows.actions)  # [C, B]
            loss = squared_loss(q, target.expand_as(q), rows.mask.expand_as(q))
            gradient = self.critic.gradient(weighted_sum(loss, share))
            self.critic.step(dist.mean(gradient), alpha, config.max_grad_norm)

            value, entropy = self.soft(self.critics, rows.obs, rows.allowed, draws, temperature)
            gradient = self.actor.gradient(weighted_sum(-value, share))
            self.actor.step(dist.mean(gradient), alpha, config.max_grad_norm)
            if not config.temperature:
                excess = weighted_sum(entropy.detach() - self.goal, share)  # the gradient of log α
                self.warmth.step(dist.mean(excess[None]), alpha)
            self.target.follow(self.critic.flat, config.tau)
            self._last = {
                "q": q.detach().mean(),
                "critic_loss": loss.detach().mean(),
                "entropy": entropy.detach().mean(),
                "temperature": temperature,
            }

    def _taken(self, obs: Tensor, actions: Tensor) -> Tensor:
        """Q_i of the actions that were taken, [C, N]."""
        if isinstance(self.critics, Critics):
            taken: Tensor = self.critics(obs, actions)
            return taken
        q: Tensor = self.critics(obs)
        return q.gather(-1, actions.expand(len(q), -1)[..., None])[..., 0]


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check_critical(config, temperature=0)
    return one_or_several(config, seed, lambda one, at: SAC(env, one, at))

"""SAC: soft actor-critic with two critics and automatic temperature; Haarnoja et al., arXiv:1812.05905, and for discrete actions arXiv:1910.07207.

    V'(s) = E_a[min_i Q'_i(s, a) - α log π(a|s)]    y = r + γ V'(s')    π: up E_a[min_i Q_i(s, a) - α log π(a|s)]    α: E[-log π] → H̄

Box actions with bounds: one action is drawn, squashed by tanh. Discrete actions: the expectation is taken whole.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.pg.q_targets import expected_soft_value, least, soft_value, squared_loss, td_target
from rlkit.pg.reduce import count, shares, weighted_sum
from rlkit.policies.adam import Adam
from rlkit.policies.continuous import Critics, Squashed
from rlkit.policies.machine import device, use_threads
from rlkit.policies.soft import Chooser, Tables
from rlkit.policies.state import load_module, module_state
from rlkit.policies.target import Target
from rlkit.sample.acting import Acting
from rlkit.sample.config import check, rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.experience import Drawn, Experience, OffPolicy
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.several import Several
from rlkit.sample.worlds import Worlds

_SHARE = 0.5  # of log A, the entropy that discrete actions are held at; the paper's 0.98 leaves them nearly random


@dataclass(frozen=True)
class Config(OffPolicy):
    """SAC."""

    batch: int = 256
    tau: float = 0.005  # how far target nets move after each learning step
    temperature: float = 0.0  # α; 0: found so that the entropy is target_entropy
    target_entropy: float = 0.0  # H̄; 0: minus the number of dimensions, for discrete actions half of log A
    max_grad_norm: float = 10.0


class SAC:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        self.device = dist.setup(device(config.device))
        self.worlds = Worlds(env, share(config.envs), seed, config.vector)
        senses, space, weights = self.worlds.senses, self.worlds.action_space, weight_generator(seed)
        size = (config.hidden, config.activation)
        self.policy: Squashed | Chooser
        self.critics: Critics | Tables
        if isinstance(space, gym.spaces.Discrete):
            self.policy = Chooser(senses, space, *size, generator=weights).to(self.device)
            self.critics = Tables(senses, space, *size, generator=weights, count=2).to(self.device)
            goal = _SHARE * math.log(self.policy.head.size)
        else:
            self.policy = Squashed(senses, space, *size, generator=weights).to(self.device)
            self.critics = Critics(senses, space, *size, generator=weights, count=2).to(self.device)
            goal = -float(self.policy.head.draws)
        self.goal = config.target_entropy or goal
        self.target = Target(self.critics)
        self.log_temperature = torch.nn.Parameter(torch.tensor(math.log(config.temperature or 1.0), device=self.device))
        self.actor, self.critic = Adam(self.policy.parameters()), Adam(self.critics.parameters())
        self.warmth = Adam([self.log_temperature])
        self.rng = agent_generator(seed)
        self.experience = Experience(self.worlds, self.policy, self.device, config)
        self.step = 0
        self._acting = Acting(self.policy, senses, space, self.device, seed)
        self._lr = rate(config.lr, "lr", config)
        self._last: dict[str, Tensor] = {}  # what the last batch came to
        use_threads(config.threads, self.critic.flat.numel(), config.batch)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self._acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions."""
        self._acting.attend(info, first=first)

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
            "target": module_state(self.target.net),
            "log_temperature": self.log_temperature.detach().cpu().numpy().copy(),
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "warmth": self.warmth.state_dict(),
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
        load_module(self.target.net, state["target"])
        with torch.no_grad():
            self.log_temperature.fill_(float(state["log_temperature"]))
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.warmth.load_state_dict(state["warmth"])
        self.experience.load_state_dict(state["experience"])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])

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
        config, alpha = self.config, self._lr(self.step)
        mask = drawn.rows.mask
        weights = shares(mask, "token", dist.mean(count(mask, "token") / len(drawn.own)))
        normal = [drawn.draws(self.rng, self.policy.head.draws) for _ in range(2)]
        for part, (share_, ahead_draws, draws) in drawn.parts(weights, *normal):
            temperature = self.log_temperature.detach().exp()
            obs, next_obs = part.obs[:, 0], part.next_obs[:, 0]
            allowed, next_allowed = (None if one is None else one[:, 0] for one in (part.allowed, part.next_allowed))
            with torch.no_grad():
                ahead, _ = self.soft(self.target.net, next_obs, next_allowed, ahead_draws, temperature)
                target = td_target(part.rewards[:, 0], part.discounts[:, 0], ahead)
            q = self._taken(obs, part.actions[:, 0])  # [C, B]
            loss = squared_loss(q, target.expand_as(q), part.mask.T.expand_as(q))
            gradient = self.critic.gradient(weighted_sum(loss, share_.T))
            self.critic.step(dist.mean(gradient), alpha, config.max_grad_norm)

            value, entropy = self.soft(self.critics, obs, allowed, draws, temperature)
            gradient = self.actor.gradient(weighted_sum(-value, share_[:, 0]))
            self.actor.step(dist.mean(gradient), alpha, config.max_grad_norm)
            if not config.temperature:
                excess = weighted_sum(entropy.detach() - self.goal, share_[:, 0])  # the gradient of log α
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

    def _measure(self) -> dict[str, float]:
        """Say what the last batch came to; the one place that waits for the device."""
        found = {name: float(dist.mean(x)) for name, x in self._last.items()}
        return checked(found | {"lr": self._lr(self.step)}, self.step)


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    whole = ("capacity", "batch", "train_every", "gradient_steps", "n_step")
    check(config, warmup=0, temperature=0, **dict.fromkeys(whole, 1))
    if not 0.0 < config.tau <= 1.0:
        raise ValueError(f"tau is {config.tau}; it must lie in (0, 1]")
    return SAC(env, config, seed) if config.seeds == 1 else Several(config, seed, lambda one, at: SAC(env, one, at))

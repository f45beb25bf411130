"""QAC, the simplest actor-critic: Zhao 10.1 and algorithm 10.1, with an action-value critic learned by Sarsa.

    θ ← θ + α ∇ log π(a_t|s_t) q(s_t, a_t)            w ← w + β (r_{t+1} + γ q(s_{t+1}, a_{t+1}) - q(s_t, a_t)) ∇ q(s_t, a_t)

An update takes the mean over a few steps of each environment. After the last step of a segment, and where an episode was cut, no
a_{t+1} is at hand; there the target has its expectation, Σ_a π(a|s_{t+1}) q(s_{t+1}, a). Discrete actions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.data import Trajectories
from rlkit.pg.losses import reinforce, value_loss
from rlkit.pg.reduce import aggregate, count, masked_mean
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.encoders import encoder
from rlkit.policies.machine import use_threads
from rlkit.policies.networks import mlp
from rlkit.policies.state import Weights
from rlkit.sample.config import Deep, check, rate
from rlkit.sample.scene import Scene
from rlkit.sample.several import one_or_several
from rlkit.sample.training import Part, Training
from rlkit.sample.vector import Segments
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Deep):
    """QAC."""

    segment: int = 8  # steps in each environment between two updates
    critic_lr: Rate = 3e-3  # of the critic, by Adam
    entropy: float = 0.01  # weight of the entropy bonus


class QAC:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        scene = Scene(env, config, seed)
        actions, hidden, weights = scene.choices("qac"), (config.hidden, config.activation), scene.weights
        if scene.worlds.allowed is not None:
            raise ValueError(f"{scene.worlds.name} forbids actions by a mask, which qac does not know: take ppo")
        self.policy = ActorCritic(*scene.net, generator=weights, critic=False).to(scene.device)
        seen = encoder(scene.worlds.senses, *hidden, weights)
        self.q = nn.Sequential(seen, mlp((seen.width, actions), config.activation, weights, 1.0)).to(scene.device)
        self.actor, self.critic = Adam(self.policy.parameters(), epsilon=1e-5), Adam(self.q.parameters(), epsilon=1e-5)
        self.segments = Segments(scene.worlds, self.policy, scene.device)
        parts: dict[str, Part] = {
            "policy": Weights(self.policy),
            "q": Weights(self.q),
            "actor": self.actor,
            "critic": self.critic,
            "segments": self.segments,
        }
        self.training = Training(config, seed, parts)
        self.act = scene.acting(self.policy).act
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        self._critic_lr = rate(config.critic_lr, "critic_lr", config)
        use_threads(config.threads, self.critic.flat.numel(), config.segment * scene.worlds.count)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole segments."""
        config, training, end = self.config, self.training, self.training.ask(steps)
        while training.step < end:
            traj, k = self.segments.collect(config.segment, training.rng), training.step + 1
            actor, critic, entropy = self.losses(traj)
            alpha, beta = training.lr(k), self._critic_lr(k)
            gradients = dist.mean(self.actor.gradient(actor)), dist.mean(self.critic.gradient(critic))
            self.actor.step(gradients[0], alpha, config.max_grad_norm)
            self.critic.step(gradients[1], beta, config.max_grad_norm)
            if training.counted(config.envs * config.segment):
                found = {"value_loss": critic.detach(), "entropy": entropy.detach()}
                yield training.report(found, self.segments.worlds.finished, lr=alpha)

    def losses(self, traj: Trajectories) -> tuple[Tensor, Tensor, Tensor]:
        """Return the actor's loss, the critic's, and the mean entropy."""
        mask = traj.mask
        evaluation = self.policy.evaluate(traj)
        taken = self.q(traj.obs).gather(-1, traj.actions[..., None])[..., 0]
        targets = traj.rewards + self.config.gamma * torch.where(traj.terminated, 0.0, self._ahead(traj))
        denominator = dist.mean(count(mask, "token"))
        gain = reinforce(evaluation.logprobs, taken, mask) - self.config.entropy * evaluation.entropy
        actor = aggregate(gain, mask, "token", denominator)
        critic = aggregate(value_loss(taken, targets, mask), mask, "token", denominator)
        return actor, critic, masked_mean(evaluation.entropy, mask).to(actor.dtype)

    @torch.no_grad()
    def _ahead(self, traj: Trajectories) -> Tensor:
        """q(s_{t+1}, a_{t+1}), or its expectation where the action is not at hand, [B, T]."""
        q = self.q(traj.next_obs)
        expected = (torch.softmax(self.policy.outputs(traj.next_obs), -1) * q).sum(-1)
        following = q[:, :-1].gather(-1, traj.actions[:, 1:, None])[..., 0]
        cut = (traj.terminated | traj.truncated)[:, :-1]
        return torch.cat([torch.where(cut, expected[:, :-1], following), expected[:, -1:]], 1)


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, segment=1, entropy=0)
    return one_or_several(config, seed, lambda one, at: QAC(env, one, at))

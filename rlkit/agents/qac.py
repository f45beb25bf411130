"""QAC, the simplest actor-critic: Zhao 10.1 and algorithm 10.1, with an action-value critic learned by Sarsa.

    θ ← θ + α ∇ log π(a_t|s_t) q(s_t, a_t)            w ← w + β (r_{t+1} + γ q(s_{t+1}, a_{t+1}) - q(s_t, a_t)) ∇ q(s_t, a_t)

An update takes the mean over a few steps of each environment. After the last step of a segment, and where an episode was cut, no
a_{t+1} is at hand; there the target has its expectation, Σ_a π(a|s_{t+1}) q(s_{t+1}, a). Discrete actions.
"""

from collections.abc import Iterator, Mapping
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
from rlkit.policies.machine import device, use_threads
from rlkit.policies.networks import mlp
from rlkit.policies.state import load_module, module_state
from rlkit.sample.acting import Acting
from rlkit.sample.config import Deep, check, rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.several import Several
from rlkit.sample.vector import Segments
from rlkit.sample.worlds import Worlds
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Deep):
    """QAC."""

    segment: int = 8  # steps in each environment between two updates
    lr: Rate = 1e-3  # of the actor, by Adam
    critic_lr: Rate = 3e-3  # of the critic, by Adam
    entropy: float = 0.01  # weight of the entropy bonus


class QAC:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        self.device = dist.setup(device(config.device))
        self.worlds = Worlds(env, share(config.envs), seed, config.vector)
        senses, space = self.worlds.senses, self.worlds.action_space
        if not isinstance(space, gym.spaces.Discrete):
            raise ValueError(f"{self.worlds.name} has actions {space}; qac chooses among Discrete ones: take ppo")
        if self.worlds.allowed is not None:
            raise ValueError(f"{self.worlds.name} forbids actions by a mask, which qac does not know: take ppo")
        generator, style = weight_generator(seed), (config.hidden, config.activation)
        self.policy = ActorCritic(senses, space, *style, generator=generator, critic=False).to(self.device)
        seen = encoder(senses, *style, generator)
        self.q = nn.Sequential(seen, mlp((seen.width, int(space.n)), config.activation, generator, 1.0)).to(self.device)
        self.actor, self.critic = Adam(self.policy.parameters(), epsilon=1e-5), Adam(self.q.parameters(), epsilon=1e-5)
        self.rng = agent_generator(seed)
        self.segments = Segments(self.worlds, self.policy, self.device)
        self.step = 0
        self._acting = Acting(self.policy, senses, space, self.device, seed)
        self._rates = rate(config.lr, "lr", config), rate(config.critic_lr, "critic_lr", config)
        use_threads(config.threads, self.critic.flat.numel(), config.segment * self.worlds.count)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self._acting.act(obs, explore=explore)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole segments."""
        end, chunk = self.step + steps, every(self.config, steps)
        due = self.step + chunk
        while self.step < end:
            traj = self.segments.collect(self.config.segment, self.rng)
            actor, critic, entropy = self.losses(traj)
            alpha, beta = (schedule(self.step + 1) for schedule in self._rates)
            gradients = dist.mean(self.actor.gradient(actor)), dist.mean(self.critic.gradient(critic))
            self.actor.step(gradients[0], alpha, self.config.max_grad_norm)
            self.critic.step(gradients[1], beta, self.config.max_grad_norm)
            self.step += self.config.envs * self.config.segment
            if self.step >= min(due, end):
                due = self.step + chunk
                numbers = dist.mean(torch.stack([critic.detach(), entropy.detach()])).tolist()
                scalars = checked(dict(zip(("value_loss", "entropy"), numbers, strict=True)), self.step)
                yield Report(self.step, episodes(self.worlds.finished) | scalars | {"lr": alpha})

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

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "policy": module_state(self.policy),
            "q": module_state(self.q),
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "generator": self.rng.bit_generator.state,
            "segments": self.segments.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        load_module(self.policy, state["policy"])
        load_module(self.q, state["q"])
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.segments.load_state_dict(state["segments"])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])

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
    return QAC(env, config, seed) if config.seeds == 1 else Several(config, seed, lambda one, at: QAC(env, one, at))

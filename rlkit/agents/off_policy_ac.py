"""Off-policy actor-critic, Zhao 10.3 and algorithm 10.3: learns π from the actions of another policy b, by importance weights.

    δ_t = r_{t+1} + γ V(s_{t+1}) - V(s_t)    ρ_t = π(a_t|s_t) / b(a_t|s_t)    θ ← θ + α ρ_t δ_t ∇ log π    w ← w + β ρ_t δ_t ∇ V

The behaviour is b = (1 - ε) π + ε uniform over the allowed actions: with ε = 1 it is the book's, which never learns, with ε = 0 the actor-critic
of 10.2. States are those that b visits. Discrete actions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Agent, Report
from rlkit.data import Trajectories
from rlkit.pg.losses import importance_weighted, value_loss
from rlkit.pg.masking import log_ratio
from rlkit.pg.reduce import aggregate, count, masked_mean
from rlkit.pg.returns import gae
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.heads import Head
from rlkit.policies.machine import use_threads
from rlkit.policies.protocol import Acted
from rlkit.policies.state import Weights
from rlkit.sample.config import Deep, check
from rlkit.sample.scene import Scene
from rlkit.sample.several import one_or_several
from rlkit.sample.training import Part, Training
from rlkit.sample.vector import Segments


@dataclass(frozen=True)
class Config(Deep):
    """Off-policy actor-critic."""

    segment: int = 8  # steps in each environment between two updates
    epsilon: float = 0.3  # share of uniform random actions in the behaviour; 1: all of them, 0: on policy
    value: float = 0.5  # weight of the value loss
    entropy: float = 0.01  # weight of the entropy bonus


class Behaviour:
    """Acts as the policy does with probability 1 - epsilon, and else with any allowed action alike."""

    def __init__(self, policy: ActorCritic, epsilon: float) -> None:
        self._policy, self._epsilon = policy, epsilon

    @property
    def head(self) -> Head:
        """The policy's."""
        return self._policy.head

    def start(self, count: int) -> None:
        """Return no memory."""

    def act(
        self, obs: Tensor, draws: Tensor | None, allowed: Tensor | None = None, memory: Tensor | None = None
    ) -> Acted:
        """Choose an action in each of N environments; the log-probabilities are the behaviour's."""
        probs = torch.softmax(self._policy.outputs(obs, allowed), -1)
        free = torch.ones_like(probs) if allowed is None else allowed.to(probs.dtype)
        logs = ((1.0 - self._epsilon) * probs + self._epsilon * free / free.sum(-1, keepdim=True)).log()
        actions = self.head.mode(logs) if draws is None else self.head.sample(logs, draws)
        return Acted(actions, self.head.log_prob(logs, actions), memory)


class OffPolicyAC:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        scene = Scene(env, config, seed)
        scene.choices("off_policy_ac")
        self.policy = ActorCritic(*scene.net, generator=scene.weights).to(scene.device)
        self.optimizer = Adam(self.policy.parameters(), epsilon=1e-5)
        self.segments = Segments(scene.worlds, Behaviour(self.policy, config.epsilon), scene.device)
        parts: dict[str, Part] = {
            "policy": Weights(self.policy),
            "optimizer": self.optimizer,
            "segments": self.segments,
        }
        self.training = Training(config, seed, parts)
        acting = scene.acting(self.policy)
        self.act, self.attend = acting.act, acting.attend
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        use_threads(config.threads, self.optimizer.flat.numel(), config.segment * scene.worlds.count)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole segments; the returns reported are the behaviour's."""
        config, training, end = self.config, self.training, self.training.ask(steps)
        while training.step < end:
            loss, found = self.loss(self.segments.collect(config.segment, training.rng))
            alpha = training.lr(training.step + 1)
            self.optimizer.step(dist.mean(self.optimizer.gradient(loss)), alpha, config.max_grad_norm)
            if training.counted(config.envs * config.segment):
                yield training.report(found, self.segments.worlds.finished, lr=alpha)

    def loss(self, traj: Trajectories) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a segment, and what is to be said of it."""
        config, mask = self.config, traj.mask
        evaluation, values = self.policy.both(traj)
        with torch.no_grad():
            ends = (traj.terminated, traj.truncated, mask)
            delta = gae(traj.rewards, values, self.policy.next_values(traj), *ends, gamma=config.gamma, lam=0.0)
            ratio = log_ratio(evaluation.logprobs, traj.logprobs, mask).exp()
        error = ratio * value_loss(values, values + delta, mask)
        gain = importance_weighted(evaluation.logprobs, traj.logprobs, delta, mask)
        loss = gain + config.value * error - config.entropy * evaluation.entropy
        with torch.no_grad():
            means = {"value_loss": error, "entropy": evaluation.entropy, "ratio": ratio}
            scalars = {name: masked_mean(x, mask) for name, x in means.items()}
        return aggregate(loss, mask, "token", dist.mean(count(mask, "token"))), scalars


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, segment=1, epsilon=0, value=0, entropy=0)
    if config.epsilon > 1.0:
        raise ValueError(f"epsilon is {config.epsilon}; it must lie between 0 and 1")
    return one_or_several(config, seed, lambda one, at: OffPolicyAC(env, one, at))

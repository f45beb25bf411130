"""REINFORCE, θ ← θ + α Σ_t (G_t - V(s_t)) ∇ log π(a_t|s_t): Williams (1992), Zhao algorithm 9.1, S&B 13.3 and 13.4.

The sum runs over whole episodes, of which an update takes the mean; V is learned by regression on the returns G_t, or left out.
Where a time limit cuts an episode, G_t goes on with V of the state reached, and without V it ends there.
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
from rlkit.pg.losses import reinforce, value_loss
from rlkit.pg.reduce import aggregate, count, masked_mean
from rlkit.pg.returns import discounted_returns
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import use_threads
from rlkit.policies.state import Weights
from rlkit.sample.config import Stochastic, check
from rlkit.sample.episodes import Episodes, outcomes, steps_of
from rlkit.sample.scene import Scene
from rlkit.sample.several import one_or_several
from rlkit.sample.training import Part, Training
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Stochastic):
    """REINFORCE."""

    envs: int = 16  # episodes of an update, over all processes
    max_steps: int = 10_000  # of an episode; a longer one is cut
    lr: Rate = 3e-3  # of Adam
    baseline: bool = True  # subtract V(s), Zhao 10.2; False: the book's algorithm 9.1
    value: float = 0.5  # weight of the value loss
    weigh: bool = (
        False  # weigh step t by γᵗ, as the gradient of E[Σ γᵗ r] asks; without, late steps count as early ones
    )


class Reinforce:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        scene = Scene(env, config, seed)
        self.policy = ActorCritic(
            *scene.net,
            generator=scene.weights,
            recurrent=config.recurrent,
            critic=config.baseline,
            log_std=config.log_std,
        ).to(scene.device)
        self.optimizer = Adam(self.policy.parameters(), epsilon=1e-5)
        self.sampler = Episodes(scene.worlds, self.policy, scene.device, limit=config.max_steps)
        parts: dict[str, Part] = {"policy": Weights(self.policy), "optimizer": self.optimizer, "sampler": self.sampler}
        self.training = Training(config, seed, parts, whole=True)
        acting = scene.acting(self.policy)
        self.act, self.attend = acting.act, acting.attend
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        use_threads(config.threads, self.optimizer.flat.numel(), 100 * config.envs)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole episodes."""
        training, end = self.training, self.training.ask(steps)
        while training.step < end:
            traj, alpha = self.sampler.collect(training.rng), training.lr(training.step + 1)
            gradient = dist.mean(self.optimizer.gradient(self.loss(traj)))
            self.optimizer.step(gradient, alpha, self.config.max_grad_norm)
            if training.counted(steps_of(traj), outcomes(traj)):
                yield training.report(self._measure(traj), lr=alpha)

    def loss(self, traj: Trajectories) -> Tensor:
        """Return the loss of whole episodes; with `weigh` its gradient for the policy is that of -E[Σ γᵗ r], unbiased."""
        config, mask = self.config, traj.mask
        if config.baseline:
            evaluation, values = self.policy.both(traj)
            with torch.no_grad():
                ahead = self.policy.next_values(traj)
        else:
            evaluation = self.policy.evaluate(traj)
            values = ahead = torch.zeros_like(traj.rewards)
        returns = discounted_returns(traj.rewards, ahead, traj.terminated, traj.truncated, mask, gamma=config.gamma)
        weights = config.gamma ** torch.arange(mask.shape[1], device=mask.device) if config.weigh else 1.0
        loss = reinforce(evaluation.logprobs, (returns - values) * weights, mask)
        if config.baseline:
            loss = loss + config.value * value_loss(values, returns, mask)
        if config.entropy:
            loss = loss - config.entropy * evaluation.entropy
        return aggregate(loss, mask, "constant", dist.mean(count(mask, "constant", 1)))

    @torch.no_grad()
    def _measure(self, traj: Trajectories) -> dict[str, Tensor]:
        return {"entropy": masked_mean(self.policy.evaluate(traj).entropy, traj.mask)}


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, max_steps=1, value=0, entropy=0, recurrent=0)
    return one_or_several(config, seed, lambda one, at: Reinforce(env, one, at))

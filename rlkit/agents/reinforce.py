"""REINFORCE, θ ← θ + α Σ_t (G_t - V(s_t)) ∇ log π(a_t|s_t): Williams (1992), Zhao algorithm 9.1, S&B 13.3 and 13.4.

The sum runs over whole episodes, of which an update takes the mean; V is learned by regression on the returns G_t, or left out.
Where a time limit cuts an episode, G_t goes on with V of the state reached, and without V it ends there.
"""

from collections.abc import Iterator, Mapping
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
from rlkit.policies.machine import device, use_threads
from rlkit.policies.state import load_module, module_state
from rlkit.sample.acting import Acting
from rlkit.sample.config import Deep, check, rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.episodes import Episodes, outcomes, steps_of
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.several import Several
from rlkit.sample.worlds import Worlds
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Deep):
    """REINFORCE."""

    envs: int = 16  # episodes of an update, over all processes
    max_steps: int = 10_000  # of an episode; a longer one is cut
    lr: Rate = 3e-3  # of Adam
    baseline: bool = True  # subtract V(s), Zhao 10.2; False: the book's algorithm 9.1
    value: float = 0.5  # weight of the value loss
    entropy: float = 0.0  # weight of the entropy bonus
    weigh: bool = (
        False  # weigh step t by γᵗ, as the gradient of E[Σ γᵗ r] asks; without, late steps count as early ones
    )
    recurrent: int = 0  # units of a GRU; 0: none
    log_std: float = 0.0  # of continuous actions, at the start


class Reinforce:
    """One run."""

    def __init__(self, env: gym.Env[Any, Any], config: Config, seed: int) -> None:
        self.config = config
        self.device = dist.setup(device(config.device))
        worlds = Worlds(env, share(config.envs), seed, config.vector)
        self.policy = ActorCritic(
            worlds.senses,
            worlds.action_space,
            config.hidden,
            config.activation,
            generator=weight_generator(seed),
            recurrent=config.recurrent,
            critic=config.baseline,
            log_std=config.log_std,
        ).to(self.device)
        self.optimizer = Adam(self.policy.parameters(), epsilon=1e-5)
        self.rng = agent_generator(seed)
        self.sampler = Episodes(worlds, self.policy, self.device, limit=config.max_steps)
        self.step = 0
        self._beyond = 0  # steps that the last episodes took beyond what was asked for
        self._acting = Acting(self.policy, worlds.senses, worlds.action_space, self.device, seed)
        self._lr = rate(config.lr, "lr", config)
        use_threads(config.threads, self.optimizer.flat.numel(), 100 * config.envs)

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the most probable action for an observation or a batch of them, or one drawn as in training."""
        return self._acting.act(obs, explore=explore)

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of allowed actions, and of an episode's beginning."""
        self._acting.attend(info, first=first)

    def updates(self, steps: int) -> Iterator[Report]:
        """Take `steps` more steps, in whole episodes."""
        end, chunk = self.step - self._beyond + steps, every(self.config, steps)
        due, finished = self.step + chunk, list[tuple[float, int]]()
        self._beyond = 0
        while self.step < end:
            traj = self.sampler.collect(self.rng)
            alpha = self._lr(self.step + 1)
            self.optimizer.step(dist.mean(self.optimizer.gradient(self.loss(traj))), alpha, self.config.max_grad_norm)
            self.step += steps_of(traj)
            finished += outcomes(traj)
            if self.step >= min(due, end):
                self._beyond = max(0, self.step - end)
                scalars = episodes(finished) | self._measure(traj) | {"lr": alpha}
                due, finished = self.step + chunk, []
                yield Report(self.step, checked(scalars, self.step))

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

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "beyond": self._beyond,
            "policy": module_state(self.policy),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.rng.bit_generator.state,
            "sampler": self.sampler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        load_module(self.policy, state["policy"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sampler.load_state_dict(state["sampler"])
        self.rng.bit_generator.state = state["generator"]
        self.step, self._beyond = int(state["step"]), int(state["beyond"])

    def _measure(self, traj: Trajectories) -> dict[str, float]:
        with torch.no_grad():
            entropy = masked_mean(self.policy.evaluate(traj).entropy, traj.mask)
        return {"entropy": float(dist.mean(entropy))}


def make(env: gym.Env[Any, Any], config: Config, seed: int = 0) -> Agent:
    """Build the agent.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """
    check(config, max_steps=1, value=0, entropy=0, recurrent=0)
    if config.seeds > 1:
        return Several(config, seed, lambda one, at: Reinforce(env, one, at))
    return Reinforce(env, config, seed)

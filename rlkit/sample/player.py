"""What every run of an on-policy actor-critic consists of, but for its algorithm: worlds, net, optimizer, draws, and their state."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.data import Trajectories
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import device, use_threads
from rlkit.policies.state import load_module, module_state
from rlkit.sample.acting import Acting
from rlkit.sample.config import Deep, rate
from rlkit.sample.draws import agent_generator, share, weight_generator
from rlkit.sample.normalise import Normaliser
from rlkit.sample.report import checked, episodes, every
from rlkit.sample.vector import Segments
from rlkit.sample.worlds import Worlds


class Player:
    """Plays segments in `config.envs` worlds, and takes the steps of the optimizer that the algorithm asks for.

    Processes that torchrun starts deal out the worlds among them.

    Args:
        env: the environment, copied.
        config: has `segment` and `lr` beside the fields of `Deep`.
        seed: of weights, draws and worlds, each independent of the others.
        batch: rows of [T] or single steps that go through the net at once, for the number of threads.
        shared: one body for actor and critic.
        recurrent: units of a GRU.
        log_std: of continuous actions, at the start.
        normalise_obs: standardise observations.
        normalise_rewards: divide rewards by the deviation of discounted returns.

    Raises:
        ValueError: naming a field of the configuration, or a space of the environment, that is not for it.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        config: Any,
        seed: int,
        *,
        batch: int = 0,
        shared: bool = False,
        recurrent: int = 0,
        log_std: float = 0.0,
        normalise_obs: bool = False,
        normalise_rewards: bool = False,
    ) -> None:
        own: Deep = config
        self.config = config
        self.step = 0
        self.device = dist.setup(device(own.device))
        self.worlds = Worlds(env, share(own.envs), seed, own.vector)
        senses, space = self.worlds.senses, self.worlds.action_space
        self.policy = ActorCritic(
            senses,
            space,
            own.hidden,
            own.activation,
            generator=weight_generator(seed),
            shared=shared,
            recurrent=recurrent,
            normalise=normalise_obs,
            log_std=log_std,
        ).to(self.device)
        self.optimizer = Adam(self.policy.parameters(), epsilon=1e-5)
        self.rng = agent_generator(seed)
        self.acting = Acting(self.policy, senses, space, self.device, seed)
        self.segments = Segments(self.worlds, self.policy, self.device)
        self.normaliser = Normaliser(
            self.policy, senses.shape, self.worlds.count, own.gamma if normalise_rewards else None
        )
        self._lr = rate(config.lr, "lr", own)
        self._end = self._chunk = self._due = 0
        use_threads(own.threads, self.optimizer.flat.numel(), batch or own.envs * config.segment)

    def ask(self, steps: int) -> int:
        """Begin to take `steps` more steps, in whole segments; return where they end."""
        self._end, self._chunk = self.step + steps, every(self.config, steps)
        self._due = self.step + self._chunk
        return self._end

    def play(self) -> Trajectories:
        """Return the next segment, [N, T], its rewards scaled."""
        return self.normaliser.scaled(self.segments.collect(self.config.segment, self.rng))

    def descend(self, loss: Tensor) -> None:
        """Take a step of the optimizer down a loss, a scalar; over several processes, down their mean."""
        gradient = dist.mean(self.optimizer.gradient(loss))
        self.optimizer.step(gradient, self._lr(self.step + 1), self.config.max_grad_norm)

    def counted(self, traj: Trajectories) -> bool:
        """Count the steps of a segment that was learned from; return whether it is time for a report."""
        self.normaliser.see(traj)
        self.step += self.config.envs * self.config.segment
        due = self.step >= min(self._due, self._end)
        if due:
            self._due = self.step + self._chunk
        return due

    def report(self, found: Mapping[str, Tensor]) -> Report:
        """Report on the episodes that have ended, and on what an update came to; here the host waits for the device.

        Raises:
            ValueError: it came to what is no number.
        """
        numbers = dist.mean(torch.stack(list(found.values()))).tolist()
        scalars = dict(zip(found, numbers, strict=True)) | {"lr": self._lr(self.step + 1)}
        return Report(self.step, episodes(self.worlds.finished) | checked(scalars, self.step))

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a run needs to go on."""
        return {
            "step": self.step,
            "policy": module_state(self.policy),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.rng.bit_generator.state,
            "segments": self.segments.state_dict(),
            "normaliser": self.normaliser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            ValueError: it is of another net, or of other worlds.
        """
        load_module(self.policy, state["policy"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.segments.load_state_dict(state["segments"])
        self.normaliser.load_state_dict(state["normaliser"])
        self.rng.bit_generator.state = state["generator"]
        self.step = int(state["step"])

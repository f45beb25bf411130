"""What every run of an on-policy actor-critic consists of, but for its algorithm: worlds, net, optimizer, draws, and their state."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from torch import Tensor

from rlkit import dist
from rlkit.agent import Report
from rlkit.data import Trajectories
from rlkit.policies.actor_critic import ActorCritic
from rlkit.policies.adam import Adam
from rlkit.policies.machine import use_threads
from rlkit.policies.state import Weights
from rlkit.sample.normalise import Normaliser
from rlkit.sample.scene import Scene
from rlkit.sample.training import Training
from rlkit.sample.vector import Segments


class Player:
    """Plays segments in `config.envs` worlds, and takes the steps of the optimizer that the algorithm asks for.

    Processes that torchrun starts deal out the worlds among them.

    Args:
        env: the environment, copied.
        config: has `segment` beside the fields of `Deep`.
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
        scene = Scene(env, config, seed)
        self.config, self.device, self.worlds = config, scene.device, scene.worlds
        self.policy = ActorCritic(
            *scene.net,
            generator=scene.weights,
            shared=shared,
            recurrent=recurrent,
            normalise=normalise_obs,
            log_std=log_std,
        ).to(self.device)
        self.optimizer = Adam(self.policy.parameters(), epsilon=1e-5)
        self.acting = scene.acting(self.policy)
        self.segments = Segments(self.worlds, self.policy, self.device)
        self.normaliser = Normaliser(
            self.policy, self.worlds.senses.shape, self.worlds.count, config.gamma if normalise_rewards else None
        )
        self.training = Training(
            config,
            seed,
            {
                "policy": Weights(self.policy),
                "optimizer": self.optimizer,
                "segments": self.segments,
                "normaliser": self.normaliser,
            },
        )
        self.rng, self.ask = self.training.rng, self.training.ask
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        use_threads(config.threads, self.optimizer.flat.numel(), batch or config.envs * config.segment)

    @property
    def step(self) -> int:
        """Steps so far, over all processes."""
        return self.training.step

    def play(self) -> Trajectories:
        """Return the next segment, [N, T], its rewards scaled."""
        return self.normaliser.scaled(self.segments.collect(self.config.segment, self.rng))

    def descend(self, loss: Tensor, weights: Tensor | None = None) -> None:
        """Take a step of the optimizer down a loss, a scalar; over several processes, down their mean.

        Args:
            loss: the scalar, or [B, T] and not summed.
            weights: [B, T], then; the way down is that of Σ weights · loss, such as `rlkit.pg.reduce.shares` has them.
        """
        gradient = dist.mean(self.optimizer.gradient(loss, weights))
        self.optimizer.step(gradient, self.training.lr(self.step + 1), self.config.max_grad_norm)

    def counted(self, traj: Trajectories) -> bool:
        """Count the steps of a segment that was learned from; return whether it is time for a report."""
        self.normaliser.see(traj)
        return self.training.counted(self.config.envs * self.config.segment)

    def report(self, found: Mapping[str, Tensor]) -> Report:
        """Report on the episodes that have ended, and on what an update came to; here the host waits for the device.

        Raises:
            ValueError: it came to what is no number.
        """
        return self.training.report(found, self.worlds.finished, lr=self.training.lr(self.step + 1))

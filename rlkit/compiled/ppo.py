"""PPO in compiled code: the fast twin of `rlkit.agents.ppo`, the same configuration, numbers and checkpoint.

Two threads share one run, one taking the actor and one the critic; of several runs each thread takes its own.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from rlkit.compiled.acting import Acting
from rlkit.compiled.engine import ACTIVATIONS, Compiled, episodes
from rlkit.compiled.losses import Weights
from rlkit.compiled.places import Place
from rlkit.compiled.run import Run, Shape
from rlkit.sample.config import rate
from rlkit.sample.scalars import checked
from rlkit.team import Team


class PPO:
    """One run.

    Args:
        env: one environment.
        config: PPO's.
        seed: of everything random.
        dtype: of all numbers.
    """

    def __init__(self, env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> None:
        self.config = config
        place = Place(env, config.envs, config.segment, seed)
        shape = Shape(config.segment, config.batch, config.epochs, config.gamma, config.lam, config.max_grad_norm)
        self.run = Run(place, config.hidden, ACTIVATIONS[config.activation], config.log_std, shape, seed, dtype)
        self._lr, self._low = rate(config.lr, "lr", config), rate(config.clip, "clip", config)
        self._high = self._low if config.clip_high is None else rate(config.clip_high, "clip_high", config)
        self._acting = Acting(self.run, env.action_space, seed)

    def advance(self, step: int, until: int, team: Team) -> tuple[int, dict[str, float]]:
        """Go on from a step at least until another, in whole segments; return where that led, and what to report."""
        while step < until:
            self.run.play()
            self.run.whiten()
            self._learn(team, step + 1)
            step += self.config.envs * self.config.segment
        measured = self.run.measure(self._weights(step + 1)) | {"lr": self._lr(step + 1)}
        return step, episodes(self.run.place.finished()) | checked(measured, step)

    def act(self, obs: Any, *, explore: bool) -> Any:
        """Return actions for one observation or a batch."""
        return self._acting.act(obs, explore=explore)

    def state_dict(self) -> dict[str, Any]:
        """Return what the run needs to go on."""
        return self.run.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.run.load_state_dict(state)

    def _learn(self, team: Team, k: int) -> None:
        epochs, most = self.config.epochs, self.config.target_kl
        if not most:
            self.run.learn(team, self._lr(k), self._weights(k), epochs)
            return
        for _ in range(epochs):
            self.run.learn(team, self._lr(k), self._weights(k), 1)
            if self.run.review()["kl"] > most:
                return

    def _weights(self, k: int) -> Weights:
        return Weights(self._low(k), self._high(k), self.config.entropy, self.config.value, self.config.value_clip)


def build(env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> Compiled:
    """Build the agent, of one run or of several, whose seeds count from `seed`."""
    return Compiled(config, [PPO(env, config, seed + i, dtype) for i in range(config.seeds)])

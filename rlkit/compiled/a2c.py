"""A2C in compiled code: the fast twin of `rlkit.agents.a2c`, the same configuration, numbers and checkpoint.

It is PPO with one epoch of one minibatch, Huang et al., arXiv:2205.09123: there the ratio is 1, and the gradient of the surrogate
∇ log π(a|s) A; but advantages stay as they are.
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


class A2C:
    """One run.

    Args:
        env: one environment.
        config: A2C's.
        seed: of everything random.
        dtype: of all numbers.
    """

    def __init__(self, env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> None:
        self.size = config.envs * config.segment
        place = Place(env, config.envs, config.segment, seed)
        shape = Shape(config.segment, self.size, 1, config.gamma, config.lam, config.max_grad_norm)
        self.run = Run(place, config.hidden, ACTIVATIONS[config.activation], config.log_std, shape, seed, dtype)
        self._lr, self._weights = rate(config.lr, "lr", config), Weights(1.0, 1.0, config.entropy, config.value, 0.0)
        self._acting = Acting(self.run, env.action_space, seed)

    def advance(self, step: int, until: int, team: Team) -> tuple[int, dict[str, float]]:
        """Go on from a step at least until another, in whole segments; return where that led, and what to report."""
        found: dict[str, float] = {}
        while step < until:
            self.run.play()
            if step + self.size >= until:  # what the update comes from, not what it comes to
                found = self.run.measure(self._weights)
            self.run.learn(team, self._lr(step + 1), self._weights, 1)
            step += self.size
        measured = {name: found[name] for name in ("entropy", "value_loss", "explained")} | {"lr": self._lr(step + 1)}
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


def build(env: gym.Env[Any, Any], config: Any, seed: int, dtype: type = np.float32) -> Compiled:
    """Build the agent, of one run or of several, whose seeds count from `seed`."""
    return Compiled(config, [A2C(env, config, seed + i, dtype) for i in range(config.seeds)])

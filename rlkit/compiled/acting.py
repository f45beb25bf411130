"""What a compiled agent does when it is asked for actions outside its training; see `rlkit.sample.acting`."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlkit.compiled.play import choose
from rlkit.compiled.run import Run
from rlkit.compiled.segment import new_segment


class Acting:
    """Acts with a run's actor.

    Args:
        run: that learns.
        space: of one environment's actions.
        seed: of its own random numbers.
    """

    def __init__(self, run: Run, space: gym.Space[Any], seed: int) -> None:
        self._run, self._space = run, space
        self._rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(4)[3])

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the action for one observation, or the actions for a batch: the most probable, or with `explore` drawn ones.

        Raises:
            ValueError: the observation is none of the space.
        """
        place, actor = self._run.place, self._run.actor
        packed = place.senses.check(place.senses.pack(obs))
        count, actions = len(packed), place.actions
        segment = new_segment(count, 1, place.width, actions, actor.weights.dtype.type)
        segment.obs[:] = packed if packed.ndim == 2 else np.eye(place.width)[packed]
        if place.normal:
            draws = self._rng.standard_normal((1, count, actions)) if explore else np.zeros((1, count, actions))
        else:
            draws = self._rng.random((1, count, 1)) if explore else np.full((1, count, 1), -1.0)
        choose(actor, actions, place.normal, draws, segment, 0)
        if isinstance(self._space, spaces.Box):
            taken = np.clip(segment.action, self._space.low, self._space.high).astype(self._space.dtype)
        else:
            taken = segment.choice + int(self._space.start)  # type: ignore[attr-defined]  # Discrete has it
        return taken if place.senses.is_batch(obs) else taken[0]

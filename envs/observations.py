"""Other ways to see a GridWorld: coordinates, and the window of cells around the agent (partial observability).

One-hot vectors and pixels are Gymnasium's own: `FlattenObservation` and `AddRenderObservation`.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from envs.cells import TELEPORT, WALL, Layout
from envs.gridworld import GridWorld


class CoordinateObservation(gym.ObservationWrapper[NDArray[Any], int, int], RecordConstructorArgs):
    """Observe (row, col), as whole numbers in a MultiDiscrete, or scaled to 0 .. 1 as float32 in a Box.

    Args:
        env: a GridWorld, under wrappers that leave its observation as it is.
        scaled: divide by rows - 1 and cols - 1; a side of one cell is at 0.
    """

    def __init__(self, env: gym.Env[int, int], *, scaled: bool = False) -> None:
        RecordConstructorArgs.__init__(self, scaled=scaled)
        gym.ObservationWrapper.__init__(self, env)
        rows, cols = _world(env).shape
        self._cols = cols
        self._scale = np.maximum(1, [rows - 1, cols - 1]).astype(np.float32) if scaled else None
        self.observation_space = (
            gym.spaces.Box(0.0, 1.0, (2,), np.float32) if scaled else gym.spaces.MultiDiscrete([rows, cols])
        )

    def observation(self, observation: int) -> NDArray[Any]:
        """Return (row, col), shape [2]."""
        place = np.array(divmod(observation, self._cols))
        return place if self._scale is None else place.astype(np.float32) / self._scale


class EgocentricObservation(gym.ObservationWrapper[NDArray[np.uint8], int, int], RecordConstructorArgs):
    """Observe the kinds of the cells (`envs.cells`) up to `radius` away, the agent's own in the middle.

    Cells outside the grid look like walls. Neither the wind nor a target's own reward can be seen.

    Args:
        env: a GridWorld, under wrappers that leave its observation as it is.
        radius: 0 or more; the window is [2 * radius + 1, 2 * radius + 1].
    """

    def __init__(self, env: gym.Env[int, int], radius: int = 1) -> None:
        if isinstance(radius, bool) or not isinstance(radius, int) or radius < 0:
            raise ValueError(f"radius is {radius!r}; it is a whole number, 0 or more")
        RecordConstructorArgs.__init__(self, radius=radius)
        gym.ObservationWrapper.__init__(self, env)
        self._grid = _world(env)
        self._side = 2 * radius + 1
        self._radius = radius
        self._look_at(self._grid.layout)
        self.observation_space = gym.spaces.Box(0, TELEPORT, (self._side, self._side), np.uint8)

    def observation(self, observation: int) -> NDArray[np.uint8]:
        """Return the window around a state, shape [2 * radius + 1, 2 * radius + 1]."""
        if self._grid.layout is not self._seen:  # a changing layout has changed
            self._look_at(self._grid.layout)
        row, col = divmod(observation, self._grid.shape[1])
        return self._padded[row : row + self._side, col : col + self._side].copy()

    def _look_at(self, layout: Layout) -> None:
        self._seen = layout
        self._padded = np.pad(layout.kinds, self._radius, constant_values=WALL)


def _world(env: gym.Env[Any, Any]) -> GridWorld:
    world = env.unwrapped
    if not isinstance(world, GridWorld) or env.observation_space != world.observation_space:
        raise ValueError(f"{env} does not observe the state of a GridWorld; put this wrapper on one that does")
    return world

"""MountainCar-v0 without a time limit as a compiled loop round an agent's kernels; equals the stepped driver to the last bit.

Figures over hundreds of runs take seconds with it, where `env.step` takes many minutes. tests/test_mountain_car.py compares.
"""

import math
from typing import Any

import gymnasium as gym
import numpy as np
from numba import njit
from numpy.typing import NDArray

import rlkit
from rlkit.learning.inputs import inputs
from rlkit.tabular.features import tiles
from rlkit.tabular.random import env_seed, env_stream, uniform

TILINGS, SIDE = 8, 8
LIMIT = 1 << 40
COUNTS = np.array([[SIDE, SIDE], [SIDE + 1, SIDE + 1]], np.float64)
OFFSETS = np.outer(np.arange(TILINGS), (1, 3)) % TILINGS / TILINGS


def build(name: str, alpha: float, **config: Any) -> Any:
    """Return an agent for the car, greedy and undiscounted, whose step size is alpha over the number of tilings."""
    fixed = {"gamma": 1.0, "epsilon": 0.0, "features": f"tiles({TILINGS}, {SIDE}x{SIDE})"}
    return rlkit.make(name, world(), alpha=alpha / TILINGS, **fixed, **config)


def world() -> gym.Env[Any, Any]:
    """Return the car with a limit so large that it is none."""
    return gym.make("MountainCar-v0", max_episode_steps=LIMIT)


def drive(agent: Any, episodes: int, most: int = LIMIT) -> NDArray[np.int64]:
    """Drive every run through so many episodes, or so many steps; return their lengths [seeds, episodes], 0 if not ended."""
    spans, lengths = inputs(world(), "").spans, np.zeros((agent.config.seeds, episodes), np.int64)
    for i, memory in enumerate(agent.memories):
        stream, begin, learn = env_stream(env_seed(i)), agent.method.begin, agent.method.learn
        _drive(begin, learn, memory, memory.weights, stream, spans, COUNTS, OFFSETS, most, lengths[i])
    return lengths


@njit
def _drive(begin, learn, memory, weights, stream, spans, counts, offsets, most, lengths):
    x, taken = np.empty(2), 0
    for k in range(lengths.size):
        position, velocity = -0.6 + (-0.4 - -0.6) * uniform(stream), 0.0
        x[0], x[1] = np.float32(position), np.float32(velocity)
        tiles(x, spans, counts, offsets, 0, weights.column, 0)
        s, a = begin(memory, 0)
        length, terminated = 0, False
        while not terminated:
            if taken == most:
                return
            velocity += (a - 1) * 0.001 + math.cos(3 * position) * (-0.0025)
            velocity = min(max(velocity, -0.07), 0.07)
            position = min(max(position + velocity, -1.2), 0.6)
            if position == -1.2 and velocity < 0.0:
                velocity = 0.0
            terminated = position >= 0.5 and velocity >= 0.0
            length += 1
            taken += 1
            x[0], x[1] = np.float32(position), np.float32(velocity)
            tiles(x, spans, counts, offsets, 0, weights.column, length & 1)
            a = learn(memory, s, a, -1.0, length & 1, terminated, False)
            s = length & 1
        lengths[k] = length


def cost_to_go(agent: Any, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -max_a q of the first run at the given places [...] and speeds [...]."""
    spans, w = inputs(world(), "").spans, agent.memories[0].weights.w
    column = np.zeros((position.size, TILINGS), np.int64)
    for row, x in enumerate(np.stack([position.ravel(), velocity.ravel()], axis=1)):
        tiles(x.copy(), spans, COUNTS, OFFSETS, 0, column, row)
    return -w[:, column].sum(axis=2).max(axis=0).reshape(position.shape)

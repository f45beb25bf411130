"""MountainCar: a car too weak for the slope must swing up; Moore (1990), as Gymnasium has it."""

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.classic_control.mountain_car import MountainCarEnv
from numpy.typing import NDArray

from envs.classic.jit import kernel
from envs.classic.vector import ClassicVectorEnv
from envs.pcg64 import random

FORCE, GRAVITY, MAX_SPEED = 0.001, 0.0025, 0.07
LEFT, RIGHT, GOAL = -1.2, 0.6, 0.5


class MountainCar(NamedTuple):
    """The task. State: position and velocity."""

    goal_velocity: float = 0.0
    low: float = -0.6  # of the first position
    high: float = -0.4


@kernel
def reset_state(world: MountainCar, rng: NDArray[np.uint64], state: NDArray[np.float64], i: int) -> None:
    """Begin an episode: at rest, somewhere near the bottom."""
    state[i, 0] = world.low + (world.high - world.low) * random(rng, i)
    state[i, 1] = 0.0


@kernel
def step_state(world: MountainCar, state: NDArray[np.float64], i: int, action: int) -> tuple[float, bool]:
    """Push left, not at all or right; the reward, and whether the car has reached the flag."""
    position, velocity = state[i, 0], state[i, 1]
    velocity += (action - 1) * FORCE + math.cos(3 * position) * (-GRAVITY)
    velocity = min(max(velocity, -MAX_SPEED), MAX_SPEED)
    position = min(max(position + velocity, LEFT), RIGHT)
    if position == LEFT and velocity < 0:
        velocity = 0.0
    state[i, 0], state[i, 1] = position, velocity
    return -1.0, position >= GOAL and velocity >= world.goal_velocity


@kernel
def observe(world: MountainCar, state: NDArray[np.float64], i: int, obs: NDArray[np.float32]) -> None:  # noqa: ARG001
    """The state."""
    obs[i, 0] = state[i, 0]
    obs[i, 1] = state[i, 1]


def vector(
    num_envs: int = 1, *, goal_velocity: float = 0.0, render_mode: str | None = None, **batch: Any
) -> ClassicVectorEnv:
    """Build a batch; `ClassicVectorEnv` says what else it takes."""
    single = MountainCarEnv(render_mode, goal_velocity)
    return ClassicVectorEnv(single, MountainCar(float(goal_velocity)), num_envs, **batch)

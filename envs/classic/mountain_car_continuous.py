"""MountainCarContinuous: the car's push is a number, and costs its square, as Gymnasium has it.

Gymnasium's state is float64 until the first step and float32 from then on, and its arithmetic with it; so is ours.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.classic_control.continuous_mountain_car import Continuous_MountainCarEnv
from numpy.typing import NDArray

from envs.classic.jit import kernel, square
from envs.classic.vector import ClassicVectorEnv
from envs.pcg64 import random

POWER, GRAVITY, MAX_SPEED = 0.0015, 0.0025, 0.07
LEFT, RIGHT, GOAL = -1.2, 0.6, 0.45


class MountainCarContinuous(NamedTuple):
    """The task. State: position, velocity, and 1 before the first step."""

    goal_velocity: float = 0.0
    low: float = -0.6  # of the first position
    high: float = -0.4


@kernel
def reset_state(world: MountainCarContinuous, rng: NDArray[np.uint64], state: NDArray[np.float64], i: int) -> None:
    """Begin an episode: at rest, somewhere near the bottom."""
    state[i, 0] = world.low + (world.high - world.low) * random(rng, i)
    state[i, 1] = 0.0
    state[i, 2] = 1.0


@kernel
def acceleration(action: Any, slope: float) -> float:
    """What the push, float32 where it is not cut off at ±1, and the slope add to the velocity."""
    gravity = GRAVITY * slope
    if action > 1:
        return POWER - gravity
    if action < -1:
        return -POWER - gravity
    return float(action * np.float32(POWER) - np.float32(gravity))


@kernel
def moved(real: Any, position: Any, velocity: Any, push: Any, goal_velocity: Any) -> tuple[Any, Any, bool]:
    """Position and velocity after a push, in the arithmetic of the type `real`, and whether the flag is reached."""
    velocity = min(max(velocity + push, real(-MAX_SPEED)), real(MAX_SPEED))
    position = min(max(position + velocity, real(LEFT)), real(RIGHT))
    if position == real(LEFT) and velocity < 0:
        velocity = real(0)
    return position, velocity, position >= real(GOAL) and velocity >= goal_velocity


@kernel
def step_state(world: MountainCarContinuous, state: NDArray[np.float64], i: int, action: Any) -> tuple[float, bool]:
    """Push by a float32; the reward, and whether the car has reached the flag."""
    if state[i, 2] == 1.0:
        push = acceleration(action, math.cos(3 * state[i, 0]))
        x, v, terminated = moved(np.float64, state[i, 0], state[i, 1], push, world.goal_velocity)
        state[i, 0], state[i, 1], state[i, 2] = np.float32(x), np.float32(v), 0.0
    else:
        position, velocity = np.float32(state[i, 0]), np.float32(state[i, 1])
        push = acceleration(action, math.cos(np.float64(np.float32(3) * position)))
        y, w, terminated = moved(np.float32, position, velocity, np.float32(push), np.float32(world.goal_velocity))
        state[i, 0], state[i, 1] = y, w
    return (100.0 if terminated else 0.0) - square(np.float64(action)) * 0.1, terminated


@kernel
def observe(
    world: MountainCarContinuous,  # noqa: ARG001
    state: NDArray[np.float64],
    i: int,
    obs: NDArray[np.float32],
) -> None:
    """Position and velocity."""
    obs[i, 0] = state[i, 0]
    obs[i, 1] = state[i, 1]


def vector(
    num_envs: int = 1, *, goal_velocity: float = 0.0, render_mode: str | None = None, **batch: Any
) -> ClassicVectorEnv:
    """Build a batch; `ClassicVectorEnv` says what else it takes."""
    single = Continuous_MountainCarEnv(render_mode, goal_velocity)
    return ClassicVectorEnv(single, MountainCarContinuous(float(goal_velocity)), num_envs, **batch)

"""Pendulum: swing up and hold, by a torque that costs its square, as Gymnasium has it."""

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.classic_control.pendulum import PendulumEnv
from numpy.typing import NDArray

from envs.classic.jit import kernel, square
from envs.classic.vector import ClassicVectorEnv
from envs.pcg64 import random

MAX_SPEED, MAX_TORQUE, DT = 8.0, 2.0, 0.05
PI = math.pi


class Pendulum(NamedTuple):
    """The task. State: angle, 0 being upright, and angular velocity."""

    g: float = 10.0
    x_init: float = PI  # the largest angle to begin with
    y_init: float = 1.0  # the largest velocity to begin with


@kernel
def reset_state(world: Pendulum, rng: NDArray[np.uint64], state: NDArray[np.float64], i: int) -> None:
    """Begin an episode: any angle, a small velocity."""
    state[i, 0] = -world.x_init + (world.x_init + world.x_init) * random(rng, i)
    state[i, 1] = -world.y_init + (world.y_init + world.y_init) * random(rng, i)


@kernel
def step_state(world: Pendulum, state: NDArray[np.float64], i: int, action: Any) -> tuple[float, bool]:
    """Turn for 0.05 s by a torque, a float32; the reward is -(angle² + 0.1 velocity² + 0.001 torque²), before the step."""
    theta, velocity = state[i, 0], state[i, 1]
    torque = min(max(action, np.float32(-MAX_TORQUE)), np.float32(MAX_TORQUE))
    angle = (theta + PI) % (2 * PI) - PI
    cost = square(angle) + 0.1 * square(velocity) + np.float64(np.float32(0.001) * square(torque))
    velocity += (3 * world.g / 2.0 * math.sin(theta) + np.float64(np.float32(3.0) * torque)) * DT
    velocity = min(max(velocity, -MAX_SPEED), MAX_SPEED)
    state[i, 0], state[i, 1] = theta + velocity * DT, velocity
    return -cost, False


@kernel
def observe(world: Pendulum, state: NDArray[np.float64], i: int, obs: NDArray[np.float32]) -> None:  # noqa: ARG001
    """Cosine and sine of the angle, and the velocity."""
    obs[i, 0] = math.cos(state[i, 0])
    obs[i, 1] = math.sin(state[i, 0])
    obs[i, 2] = state[i, 1]


def vector(num_envs: int = 1, *, g: float = 10.0, render_mode: str | None = None, **batch: Any) -> ClassicVectorEnv:
    """Build a batch; `ClassicVectorEnv` says what else it takes."""
    return ClassicVectorEnv(PendulumEnv(render_mode, g), Pendulum(float(g)), num_envs, **batch)

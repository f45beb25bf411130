"""Acrobot: a double pendulum swings its tip up by the torque between its links; Sutton (1996), as Gymnasium has it.

Gymnasium takes cosine and sine of an episode's first angles in float32, by an approximation that depends on NumPy and on
the processor; ours are rounded from float64, and may differ from them by one unit in the last place. States do not differ.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.classic_control.acrobot import AcrobotEnv
from numpy.typing import NDArray

from envs.classic.jit import kernel, square
from envs.classic.vector import ClassicVectorEnv
from envs.pcg64 import random

# both links: mass 1, length 1, moment of inertia 1, centre of mass at 0.5
GRAVITY, DT = 9.8, 0.2
PI = math.pi
MAX_VELOCITY_1, MAX_VELOCITY_2 = 4 * PI, 9 * PI
Slope = tuple[float, float, float, float]


class Acrobot(NamedTuple):
    """The task. State: the angles of the two links and their velocities."""

    low: float = -0.1  # of each number of the first state
    high: float = 0.1


@kernel
def reset_state(world: Acrobot, rng: NDArray[np.uint64], state: NDArray[np.float64], i: int) -> None:
    """Begin an episode: four uniform numbers, rounded to float32."""
    for j in range(4):
        state[i, j] = np.float32(world.low + (world.high - world.low) * random(rng, i))


@kernel
def slope(theta_1: float, theta_2: float, velocity_1: float, velocity_2: float, torque: float) -> Slope:
    """d/dt of the state: S&B's equations, which differ from those of the 1995 paper by a centrifugal term."""
    cos, sin = math.cos(theta_2), math.sin(theta_2)
    d1 = 0.25 + (1.25 + cos) + 1.0 + 1.0
    d2 = 0.25 + 0.5 * cos + 1.0
    phi2 = 0.5 * GRAVITY * math.cos(theta_1 + theta_2 - PI / 2.0)
    phi1 = (
        -0.5 * square(velocity_2) * sin
        - velocity_2 * velocity_1 * sin
        + 1.5 * GRAVITY * math.cos(theta_1 - PI / 2)
        + phi2
    )
    acceleration_2 = (torque + d2 / d1 * phi1 - 0.5 * square(velocity_1) * sin - phi2) / (1.25 - square(d2) / d1)
    acceleration_1 = -(d2 * acceleration_2 + phi1) / d1
    return velocity_1, velocity_2, acceleration_1, acceleration_2


@kernel
def wrapped(x: float) -> float:
    """The angle in [-π, π], by whole turns subtracted one by one."""
    while x > PI:
        x -= 2 * PI
    while x < -PI:
        x += 2 * PI
    return x


@kernel
def step_state(world: Acrobot, state: NDArray[np.float64], i: int, action: int) -> tuple[float, bool]:  # noqa: ARG001
    """One step of Runge-Kutta of order 4 over 0.2 s; the reward, and whether the tip is above the bar."""
    a, b, c, d = state[i, 0], state[i, 1], state[i, 2], state[i, 3]
    torque = action - 1.0
    half = DT / 2.0
    k1 = slope(a, b, c, d, torque)
    k2 = slope(a + half * k1[0], b + half * k1[1], c + half * k1[2], d + half * k1[3], torque)
    k3 = slope(a + half * k2[0], b + half * k2[1], c + half * k2[2], d + half * k2[3], torque)
    k4 = slope(a + DT * k3[0], b + DT * k3[1], c + DT * k3[2], d + DT * k3[3], torque)
    a = wrapped(a + DT / 6.0 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]))
    b = wrapped(b + DT / 6.0 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]))
    c += DT / 6.0 * (k1[2] + 2 * k2[2] + 2 * k3[2] + k4[2])
    d += DT / 6.0 * (k1[3] + 2 * k2[3] + 2 * k3[3] + k4[3])
    state[i, 0], state[i, 1] = a, b
    state[i, 2] = min(max(c, -MAX_VELOCITY_1), MAX_VELOCITY_1)
    state[i, 3] = min(max(d, -MAX_VELOCITY_2), MAX_VELOCITY_2)
    terminated = -math.cos(a) - math.cos(b + a) > 1.0
    return (0.0 if terminated else -1.0), terminated


@kernel
def observe(world: Acrobot, state: NDArray[np.float64], i: int, obs: NDArray[np.float32]) -> None:  # noqa: ARG001
    """Cosine and sine of both angles, and the velocities."""
    for j in range(2):
        obs[i, 2 * j] = math.cos(state[i, j])
        obs[i, 2 * j + 1] = math.sin(state[i, j])
        obs[i, 4 + j] = state[i, 2 + j]


def vector(num_envs: int = 1, *, render_mode: str | None = None, **batch: Any) -> ClassicVectorEnv:
    """Build a batch; `ClassicVectorEnv` says what else it takes."""
    return ClassicVectorEnv(AcrobotEnv(render_mode), Acrobot(), num_envs, **batch)

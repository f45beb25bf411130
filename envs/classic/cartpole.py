"""CartPole: a cart keeps a pole upright; Barto, Sutton & Anderson, "Neuronlike adaptive elements" (1983), as Gymnasium has it."""

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from numpy.typing import NDArray

from envs.classic.jit import kernel
from envs.classic.vector import ClassicVectorEnv
from envs.pcg64 import random

GRAVITY, POLE, LENGTH, FORCE, TAU = 9.8, 0.1, 0.5, 10.0, 0.02
TOTAL = POLE + 1.0
POLE_LENGTH = POLE * LENGTH
X_LIMIT, ANGLE_LIMIT = 2.4, 12 * 2 * math.pi / 360


class CartPole(NamedTuple):
    """The task. State: position, velocity, angle, angular velocity."""

    sutton_barto_reward: bool = False
    low: float = -0.05  # of each number of the first state
    high: float = 0.05


@kernel
def reset_state(world: CartPole, rng: NDArray[np.uint64], state: NDArray[np.float64], i: int) -> None:
    """Begin an episode: four uniform numbers."""
    for j in range(4):
        state[i, j] = world.low + (world.high - world.low) * random(rng, i)


@kernel
def step_state(world: CartPole, state: NDArray[np.float64], i: int, action: int) -> tuple[float, bool]:
    """Euler's method over 0.02 s; the reward, and whether the pole fell or the cart left the track."""
    x, x_dot, theta, theta_dot = state[i, 0], state[i, 1], state[i, 2], state[i, 3]
    force = FORCE if action == 1 else -FORCE
    cos, sin = math.cos(theta), math.sin(theta)
    temp = (force + POLE_LENGTH * (theta_dot * theta_dot) * sin) / TOTAL
    theta_acc = (GRAVITY * sin - cos * temp) / (LENGTH * (4.0 / 3.0 - POLE * (cos * cos) / TOTAL))
    x_acc = temp - POLE_LENGTH * theta_acc * cos / TOTAL
    x += TAU * x_dot
    theta += TAU * theta_dot
    state[i, 0], state[i, 1], state[i, 2], state[i, 3] = x, x_dot + TAU * x_acc, theta, theta_dot + TAU * theta_acc
    terminated = x < -X_LIMIT or x > X_LIMIT or theta < -ANGLE_LIMIT or theta > ANGLE_LIMIT
    if world.sutton_barto_reward:
        return (-1.0 if terminated else 0.0), terminated
    return 1.0, terminated


@kernel
def observe(world: CartPole, state: NDArray[np.float64], i: int, obs: NDArray[np.float32]) -> None:  # noqa: ARG001
    """The state."""
    for j in range(4):
        obs[i, j] = state[i, j]


def vector(
    num_envs: int = 1, *, sutton_barto_reward: bool = False, render_mode: str | None = None, **batch: Any
) -> ClassicVectorEnv:
    """Build a batch; `ClassicVectorEnv` says what else it takes."""
    world = CartPole(bool(sutton_barto_reward))
    return ClassicVectorEnv(CartPoleEnv(world.sutton_barto_reward, render_mode), world, num_envs, **batch)

"""A classic control batch and its slow twin, and actions for both."""

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

import envs
from envs.classic.vector import ClassicVectorEnv
from tests.envs.twins import masked, same

MODES = list(AutoresetMode)
NAMES = [name for name in envs.CLASSIC if name != "CartPole-v0"]  # of which Gymnasium warns
CONTINUOUS = ("MountainCarContinuous-v0", "Pendulum-v1")
N = 7


def pair(name, mode=AutoresetMode.NEXT_STEP, n=N, **arguments):
    """The batch and its slow twin, both through Gymnasium."""
    fast = gym.make_vec(f"rlkit/{name}", n, autoreset_mode=mode, **arguments)
    slow = gym.make_vec(name, n, "sync", vector_kwargs={"autoreset_mode": mode}, **arguments)
    assert isinstance(fast, ClassicVectorEnv)
    return fast, slow


def random_actions(env, rng):
    space = env.single_action_space
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(0, space.n, env.num_envs)
    actions = rng.uniform(1.5 * space.low, 1.5 * space.high, (env.num_envs, 1)).astype(np.float32)
    actions[rng.random(env.num_envs) < 0.2] = rng.choice([space.low, space.high])
    return actions


def good_actions(name, obs):
    """Actions that keep the pole up and bring the cars and the acrobot to their goals."""
    if name.startswith("CartPole"):
        return (obs[:, 2] + 0.3 * obs[:, 3] + 0.05 * obs[:, 1] + 0.01 * obs[:, 0] > 0).astype(np.int64)
    if name == "MountainCar-v0":
        return 2 * (obs[:, 1] >= 0)
    if name == "Acrobot-v1":
        return 2 * (obs[:, 4] < 0)
    return np.where(obs[:, -1:] >= 0, 1, -1).astype(np.float32)


def alike(fast, left, right):
    """The same, but for Acrobot's first observations, of which Gymnasium takes cosine and sine in float32."""
    if fast.spec.name == "Acrobot":
        first = fast.batch.elapsed == 0
        np.testing.assert_array_max_ulp(left[0][first], right[0][first], 1)
        right[0][first] = left[0][first]
    same(left, right)


def both(fast, slow, actions):
    left, right = fast.step(actions), slow.step(actions)
    alike(fast, left, right)
    if fast.metadata["autoreset_mode"] is AutoresetMode.DISABLED and (left[2] | left[3]).any():
        alike(fast, fast.reset(options=masked(*left[2:4])), slow.reset(options=masked(*right[2:4])))
    return left

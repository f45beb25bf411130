"""A world in compiled code: the arrays of an MDP, a time limit, and random numbers drawn as the environment draws them."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from rlkit.arrays import Bools, Floats, Ints
from rlkit.mdp import MDP, from_env, transparent_base
from rlkit.tabular.jit import kernel
from rlkit.tabular.random import Stream, uniform

FOREVER = 1 << 62  # a time limit that no run reaches


class World(NamedTuple):
    """What `env.step` and `env.reset` do, as data."""

    indptr: Ints  # [S*A + 1]
    next_state: NDArray[np.int32]  # [N]
    cdf: Floats  # [N]
    reward: Floats  # [N]
    terminated: Bools  # [N]
    start_cdf: Floats  # [S]
    n_actions: int
    limit: int  # steps after which an episode is truncated
    only_start: int  # the one state that episodes start from, or -1
    always_draws: bool  # Gymnasium's toy-text draws even where there is one outcome; envs.GridWorld does not


def compiled_world(env: gym.Env[Any, Any] | MDP) -> World | None:
    """Read the world of an environment, or return None where only `env.step` knows it.

    A step and a reset draw the numbers that `env.step` and `env.reset` would draw from `env.np_random`, for
    envs.GridWorld and Gymnasium's toy-text; an environment of yours with `P` or `transitions` may draw in another order,
    and is then the same in distribution.
    """
    if isinstance(env, MDP):
        return _world(env, FOREVER, False)
    base = transparent_base(env)
    if base is None or getattr(getattr(base, "layout", None), "later", None) is not None:  # a maze that changes
        return None
    mdp = from_env(env)
    return None if mdp is None else _world(mdp, time_limit(env), getattr(base, "transitions", None) is None)


def time_limit(env: gym.Env[Any, Any]) -> int:
    """Return the steps after which a `TimeLimit` in the stack truncates, `FOREVER` without one."""
    while isinstance(env, gym.Wrapper):
        if isinstance(env, TimeLimit):
            return int(env._max_episode_steps)  # noqa: SLF001 - Gymnasium shows it nowhere else
        env = env.env
    return FOREVER


def _world(mdp: MDP, limit: int, always_draws: bool) -> World:
    starts = np.flatnonzero(np.diff(mdp.start_cdf, prepend=0.0))
    only = int(starts[0]) if len(starts) == 1 else -1
    return World(
        mdp.indptr,
        mdp.next_state,
        mdp.cdf,
        mdp.reward,
        mdp.terminated,
        mdp.start_cdf,
        mdp.n_actions,
        limit,
        only,
        always_draws,
    )


@kernel
def draw_start(world: Any, stream: Stream) -> int:
    """Draw the state in which an episode starts."""
    if world.only_start >= 0:
        if world.always_draws:
            uniform(stream)
        return int(world.only_start)
    s = np.searchsorted(world.start_cdf, uniform(stream), side="right")
    if s < world.start_cdf.size:
        return int(s)
    # The running sum stops short of 1 and the number fell behind it: toy-text then takes state 0, GridWorld the last.
    return 0 if world.always_draws else int(world.start_cdf.size - 1)


@kernel
def draw_outcome(world: Any, s: int, a: int, stream: Stream) -> int:
    """Draw what comes of action a in state s, as an index into the world's arrays of outcomes."""
    row = np.uintp(s * world.n_actions + a)
    first = world.indptr[row]
    last = world.indptr[row + np.uintp(1)] - 1
    if not (world.always_draws or last > first):
        return int(first)
    u = uniform(stream)
    k = first
    while k < last and world.cdf[np.uintp(k)] <= u:
        k += 1
    if world.always_draws and world.cdf[np.uintp(k)] <= u:
        return int(first)
    return int(k)

"""Q-learning as a JAX scan over the model's arrays; the peers in plain Python are in tutorial.py."""

import importlib.util
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from tutorial import ALPHA, EPSILON, GAMMA

import rlkit
from rlkit.tabular.world import FOREVER, compiled_world

Run = Callable[[int], Any]


def jax_q_learning(world: str) -> Run | None:
    """The whole loop compiled by XLA: a scan that carries the table, over the same arrays as rlkit's compiled driver."""
    if importlib.util.find_spec("jax") is None:
        return None
    import jax
    import jax.numpy as jnp

    env = gym.make(world)
    mdp, found = rlkit.from_env(env), compiled_world(env)
    width = int(np.diff(mdp.indptr).max())
    rows = len(mdp.indptr) - 1
    prob, successor = np.zeros((rows, width)), np.zeros((rows, width), np.int32)
    reward, ends = np.zeros((rows, width)), np.zeros((rows, width), bool)
    for row in range(rows):
        span = slice(mdp.indptr[row], mdp.indptr[row + 1])
        size = span.stop - span.start
        prob[row, :size], successor[row, :size] = mdp.prob[span], mdp.next_state[span]
        reward[row, :size], ends[row, :size] = mdp.reward[span], mdp.terminated[span]
    cdf = jnp.asarray(np.cumsum(prob, axis=1)[:, :-1], jnp.float32)
    successor, reward, ends = jnp.asarray(successor), jnp.asarray(reward, jnp.float32), jnp.asarray(ends)
    start = jnp.asarray(mdp.start_cdf[:-1], jnp.float32)
    n_actions, limit = mdp.n_actions, min(found.limit, 2**30) if found else FOREVER

    def step(carry: Any, u: Any) -> Any:
        q, s, elapsed = carry
        a = jnp.where(u[0] < EPSILON, (u[0] / EPSILON * n_actions).astype(jnp.int32), jnp.argmax(q[s]))
        row = s * n_actions + a
        k = jnp.sum(cdf[row] <= u[1])
        s_next, over = successor[row, k], ends[row, k]
        target = reward[row, k] + GAMMA * (1.0 - over) * jnp.max(q[s_next])
        q = q.at[s, a].add(ALPHA * (target - q[s, a]))
        again = over | (elapsed + 1 >= limit)
        s = jnp.where(again, jnp.sum(start <= u[2]), s_next).astype(jnp.int32)
        return (q, s, jnp.where(again, 0, elapsed + 1)), None

    @jax.jit
    def scan(q: Any, key: Any, draws: Any) -> Any:
        u = jax.random.uniform(key, (draws.shape[0], 3))
        return jax.lax.scan(step, (q, jnp.int32(0), 0), u)[0][0]

    def run(steps: int) -> None:
        q = jnp.zeros((mdp.n_states, n_actions), jnp.float32)
        scan(q, jax.random.PRNGKey(0), jnp.zeros((steps, 1))).block_until_ready()

    return run

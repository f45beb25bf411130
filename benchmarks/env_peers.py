"""What `env_speed.py` times: one job a row, and the jobs of the peers, each in the fastest way it offers on one core."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

ROWS = 64  # different batches of actions


class Job(NamedTuple):
    """One row: call() makes `steps` steps."""

    group: str
    name: str
    steps: int
    call: Callable[[], object]
    ours: bool = True


def single(name: str, make: Callable[[], gym.Env[Any, Any]], group: str, ours: bool) -> Job:
    env = make()
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, env.action_space.n, 5000).tolist()

    def call() -> None:
        step, reset = env.step, env.reset
        for action in actions:
            _, _, terminated, truncated, _ = step(action)
            if terminated or truncated:
                reset()

    return Job(group, name, len(actions), call, ours)


def vector(name: str, env: Any, group: str = "vector", *, n_actions: int, ours: bool = True, rows: int = ROWS) -> Job:
    n = env.num_envs
    env.reset(seed=0)
    actions = [row.copy() for row in np.random.default_rng(0).integers(0, n_actions, (rows, n))]

    def call() -> None:
        step = env.step
        for row in actions:
            step(row)

    return Job(group, name, n * rows, call, ours)


def gymnasium_jobs(n: int) -> Iterator[Job]:
    yield single("FrozenLake-v1, gym.make", lambda: gym.make("FrozenLake-v1"), "single", ours=False)
    for name, actions in (("FrozenLake-v1", 4), ("GridWorld-v0", 5)):
        env = gym.make_vec(name, n, vectorization_mode="sync")
        yield vector(f"Gymnasium SyncVectorEnv, {name}", env, n_actions=actions, ours=False, rows=2)


def envpool_jobs(n: int) -> Iterator[Job]:
    import envpool

    env = envpool.make_gymnasium("FrozenLake-v1", num_envs=n, num_threads=1, seed=0)
    env.reset()
    actions = [row.copy() for row in np.random.default_rng(0).integers(0, 4, (ROWS, n), dtype=np.int32)]
    yield Job("vector", "EnvPool FrozenLake-v1, 1 thread", n * ROWS, lambda: [env.step(a) for a in actions], ours=False)


def gymnax_jobs(n: int) -> Iterator[Job]:
    import gymnax
    import jax

    env, parameters = gymnax.make("FourRooms-misc")
    keys = jax.random.split(jax.random.PRNGKey(0), n)
    reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))
    step = jax.vmap(env.step, in_axes=(0, 0, 0, None))
    actions = jax.random.randint(jax.random.PRNGKey(1), (ROWS, n), 0, env.num_actions)
    state = reset(keys, parameters)[1]

    @jax.jit
    def one(keys: Any, state: Any, action: Any) -> Any:
        keys = jax.vmap(lambda key: jax.random.split(key)[0])(keys)
        obs, state, *rest = step(keys, state, action, parameters)  # then rewards, flags (one or two), infos
        return keys, state, (obs, *rest[:-1])

    @jax.jit
    def many(keys: Any, state: Any) -> Any:
        def body(carry: Any, action: Any) -> Any:
            keys, state, seen = one(*carry, action)
            return (keys, state), seen

        return jax.lax.scan(body, (keys, state), actions)

    rows = list(actions)

    def stepped() -> None:
        k, s = keys, state
        for row in rows:
            k, s, seen = one(k, s, row)
        jax.block_until_ready(seen)

    yield Job("vector", "gymnax FourRooms-misc, jitted step", n * ROWS, stepped, ours=False)
    yield Job(
        "vector",
        "gymnax FourRooms-misc, jitted scan",
        n * ROWS,
        lambda: jax.block_until_ready(many(keys, state)),
        ours=False,
    )

"""Runs watched more closely than a report does: after every episode, or at every pull of a bandit; compiled."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numba import njit
from numpy.typing import NDArray

import rlkit
from rlkit.tabular.drive import make_place
from rlkit.tabular.random import env_seed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FOREVER = 1 << 40


def values_by_episode(agent: Any, after: Sequence[int] | Ints) -> Floats:
    """Return the state values after so many episodes, [runs, K, S], of an agent that has not begun.

    Args:
        agent: built for an MDP; it learns state values.
        after: [K] numbers of episodes, growing; 0 is the start.
    """
    found = []
    for i, memory in enumerate(agent.memories):
        place = make_place(env_seed(i))._replace(
            returns=np.zeros(1), lengths=np.zeros(1, np.int64)
        )  # an episode a call
        v = getattr(memory, "values", memory).v
        out = np.empty((len(after), len(v)))
        _watch(agent.method.run, agent.setting.world, memory, place, v, np.asarray(after, np.int64), out)
        found.append(out)
    return np.array(found)


@njit
def _watch(run, world, memory, place, v, after, out):
    ended = 0
    for k in range(after.size):
        while ended < after[k]:
            run(world, memory, place, FOREVER)
            ended += 1
        out[k] = v


def counts(last: int, a_decade: int = 60) -> Ints:
    """Return whole numbers from 1 to `last`, evenly spaced on a logarithmic axis."""
    return np.unique(np.geomspace(1, last, int(a_decade * np.log10(last)) + 1).round().astype(np.int64))


def episodes(agent: Any, count: int, chunk: int) -> tuple[Floats, Ints]:
    """Let an agent learn until every run has ended `count` episodes; return their returns and lengths, [runs, count]."""
    returns: list[list[Floats]] = [[] for _ in agent.returns]
    lengths: list[list[Ints]] = [[] for _ in agent.returns]
    while min(sum(map(len, parts)) for parts in returns) < count:
        for _ in agent.updates(chunk):
            for i in range(len(returns)):
                returns[i].append(agent.returns[i])
                lengths[i].append(agent.lengths[i])
    return (
        np.array([np.concatenate(parts)[:count] for parts in returns]),
        np.array([np.concatenate(parts)[:count] for parts in lengths]),
    )


class Pulls(NamedTuple):
    """What runs of a bandit agent came to, pull by pull."""

    reward: Floats  # [pulls]  mean over the runs
    best: Floats  # [pulls]  share of the runs that pulled the best arm


def pulls(name: str, runs: int, count: int, world: dict[str, Any] | None = None, **config: Any) -> Pulls:
    """Let a bandit agent play on as many bandits as there are runs.

    A bandit's noise does not depend on what is pulled, so that it can be drawn at once, and the agent's own kernels run
    on it compiled: the same rewards as by stepping Bandit-v0, a hundred times faster. tests/test_figures.py compares.
    """
    arms = (world or {}).get("arms", 10)
    one_state = rlkit.from_P({0: {a: [(1.0, 0, 0.0, False)] for a in range(arms)}})
    agent: Any = rlkit.make(name, one_state, gamma=0.0, seeds=runs, **config)
    env = gym.make("Bandit-v0", **(world or {})).unwrapped
    rewards, actions = np.empty((runs, count)), np.empty((runs, count), np.int64)
    best = np.empty(runs, np.int64)
    for i, memory in enumerate(agent.memories):
        env.reset(seed=env_seed(i))
        noise = env.np_random.standard_normal(count)
        best[i] = env.best
        _pull(agent.method.begin, agent.method.learn, memory, env.true_values, noise, rewards[i], actions[i])
    return Pulls(rewards.mean(axis=0), (actions == best[:, None]).mean(axis=0))


@njit
def _pull(begin, learn, memory, values, noise, rewards, actions):
    _, a = begin(memory, 0)
    for t in range(noise.size):
        r = values[a] + noise[t]
        rewards[t], actions[t] = r, a
        a = learn(memory, 0, a, r, 0, False, False)

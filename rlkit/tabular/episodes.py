"""Monte Carlo: the steps of an episode kept until it ends, and its returns learned from backwards, g ← r + γ g, Zhao algorithm 5.2."""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.control import update
from rlkit.tabular.jit import kernel


class Episode(NamedTuple):
    """The steps of the episode under way, and how often each thing that is estimated has occurred in it."""

    states: Ints  # [T]
    actions: Ints  # [T]
    rewards: Floats  # [T]
    seen: Ints  # [S] for state values, [S*A] for action values
    length: Ints  # [1]  steps kept
    first: bool  # learn from the first visit of an episode alone, or from every one


def make_episode(horizon: int, keys: int, visit: str) -> Episode:
    """Return an empty episode.

    Args:
        horizon: T, the most steps that are kept.
        keys: how many things are estimated: S, or S * A.
        visit: "first" or "every".
    """
    steps, length = np.zeros(horizon, np.int64), np.zeros(1, np.int64)
    return Episode(steps, steps.copy(), np.zeros(horizon), np.zeros(keys, np.int64), length, visit == "first")


@kernel
def keep(episode: Any, s: int, a: int, r: float, key: int) -> bool:
    """Keep a step, which visits `key`; return whether there is no room for another."""
    t = np.uintp(episode.length[0])
    episode.states[t], episode.actions[t], episode.rewards[t] = s, a, r
    episode.seen[np.uintp(key)] += 1
    episode.length[0] += 1
    return bool(episode.length[0] == episode.rewards.size)


@kernel
def counts(episode: Any, key: int) -> bool:
    """Take back a visit, the last first; return whether it is one to learn from."""
    left = episode.seen[np.uintp(key)] - 1
    episode.seen[np.uintp(key)] = left
    return bool(left == 0 or not episode.first)


@kernel
def learn_returns(table: Any, episode: Any, g: float) -> None:
    """Move q(s, a) towards the return that followed each visit, and empty the episode.

    Args:
        table: `rlkit.tabular.control.Table`.
        episode: `Episode` over S * A keys.
        g: what comes after its last step: 0 where it terminated, an estimate where it was cut.
    """
    for back in range(episode.length[0]):
        t = np.uintp(episode.length[0] - 1 - back)
        s, a = episode.states[t], episode.actions[t]
        g = episode.rewards[t] + table.gamma * g
        if counts(episode, s * table.q.shape[1] + a):
            update(table, s, a, g)
    episode.length[0] = 0

"""Whole episodes, thousands at once, from the arrays of an MDP: the same `Trajectories` that agents learn from."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rlkit.data import Trajectories
from rlkit.mdp import MDP

STEPS = ("obs", "next_obs", "actions", "logprobs", "rewards", "terminated", "truncated", "mask")  # [B, T]


def play(mdp: MDP, pi: NDArray[np.float64], episodes: int, rng: np.random.Generator, group: int = 1) -> Trajectories:
    """Play episodes to their end, `group` of them in a row from each start; padded to the longest.

    Args:
        mdp: a world in which the policy ends every episode.
        pi: [S, A] policy.
        episodes: B, a multiple of `group`.
        rng: an action or an outcome is the first whose running sum of probabilities exceeds a uniform draw.
        group: episodes that share a start.
    """
    action_cdf, outcome_cdf = np.cumsum(pi, axis=1), _outcomes(mdp)
    state = np.repeat(np.searchsorted(mdp.start_cdf, rng.random(episodes // group), side="right"), group)
    alive, columns = np.arange(episodes), []
    while len(alive):
        action = _first_above(action_cdf[state], rng.random(len(alive)))
        row = state * mdp.n_actions + action
        k = mdp.indptr[row] + _first_above(outcome_cdf[row], rng.random(len(alive)))
        columns.append((alive, state, mdp.next_state[k], action, np.log(pi[state, action]), mdp.reward[k]))
        going_on = ~mdp.terminated[k]
        alive, state = alive[going_on], mdp.next_state[k][going_on].astype(np.int64)
    return _padded(columns, episodes, group)


def _outcomes(mdp: MDP) -> NDArray[np.float64]:
    """The running sums of the outcomes of each state-action pair, [S*A, most outcomes]; 2 where there is none."""
    width = np.diff(mdp.indptr)
    table = np.full((len(width), int(width.max())), 2.0)
    table[np.arange(table.shape[1]) < width[:, None]] = mdp.cdf
    table[np.arange(len(width)), width - 1] = 2.0  # the last one takes what rounding left over
    return table


def _first_above(cdf: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((cdf <= u[:, None]).sum(axis=1), cdf.shape[1] - 1)


def _padded(columns: list[tuple[NDArray, ...]], episodes: int, group: int) -> Trajectories:
    shape = episodes, len(columns)
    obs, next_obs, actions = (np.zeros(shape, np.int64) for _ in range(3))
    logprobs, rewards, mask = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.bool_)
    for t, (alive, *found) in enumerate(columns):
        mask[alive, t] = True
        for whole, part in zip((obs, next_obs, actions, logprobs, rewards), found, strict=True):
            whole[alive, t] = part
    terminated = mask & ~np.pad(mask[:, 1:], ((0, 0), (0, 1)))
    return Trajectories(
        *map(torch.from_numpy, (obs, next_obs, actions, logprobs, rewards, terminated)),
        truncated=torch.zeros(shape, dtype=torch.bool),
        mask=torch.from_numpy(mask),
        group=torch.arange(episodes) // group,
    )


class Part(NamedTuple):
    """Some episodes of a sample, of about one length, so that little is padded."""

    index: Tensor  # [b] their numbers in the sample
    traj: Trajectories  # [b, T]


def sample(
    mdp: MDP, pi: NDArray[np.float64], episodes: int, rng: np.random.Generator, group: int = 1, rows: int = 2048
) -> list[Part]:
    """Play episodes and lay them out by length, `rows` in a part."""
    traj = play(mdp, pi, episodes, rng, group)
    parts = []
    for index in torch.argsort(traj.lengths, stable=True).split(rows):
        some = traj.select(index)
        length = int(some.lengths.max())
        parts.append(Part(index, replace(some, **{name: getattr(some, name)[:, :length] for name in STEPS})))
    return parts


def size(parts: list[Part]) -> int:
    """Return the number of episodes of a sample."""
    return sum(len(part.index) for part in parts)

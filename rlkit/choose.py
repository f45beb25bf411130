"""Which planner suits a world: what `rlkit solve` takes when nobody names one."""

import os
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlkit.mdp import MDP
from rlkit.tabular.problem import World

SMALL = 20_000  # states up to which a sparse direct solve takes no time worth saving
LARGE = 50_000  # states from which a second thread earns more than its start costs
_FAR = 0.125  # of all states lie between a state and its successor, where that is no neighbour
_SWEEPS = 8  # to see how fast the differences between states are forgotten


class Choice(NamedTuple):
    """A planner, the options that differ from its defaults, and why it was taken."""

    planner: str
    options: dict[str, Any]
    reason: str


def choose(world: World, gamma: float) -> Choice:
    """Choose a planner for a world by its size, the discount, and, for an `MDP`, by how far its transitions lead.

    Where they lead everywhere, nothing rests for a sweep over blocks to leave out, and a chain forgets its start soon: then
    Krylov's method needs few products, and, if no episode ends, so does value iteration that stops by the span.

    Args:
        world: an environment with a model, an MDP, or rules.
        gamma: the discount.
    """
    n_states = _size(world)
    if gamma >= 1.0 and n_states <= SMALL:
        return Choice("policy_iteration", {}, f"exact at gamma 1, and {n_states:,} states are few")
    if isinstance(world, MDP) and n_states > 1 and gamma < 1.0 and _leads_far(world):
        if not world.terminated.any() and _forgets(world):
            return Choice("value_iteration", {"stop": "span"}, "transitions lead everywhere and no episode ends")
        return Choice("inexact_policy_iteration", {}, "transitions lead everywhere, which suits Krylov's method")
    if n_states >= LARGE and (os.cpu_count() or 1) >= 2:
        reason = f"sweeps only where something changes, on two threads for {n_states:,} states"
        return Choice("prioritized_sweeping", {"threads": 2}, reason)
    return Choice("prioritized_sweeping", {}, "sweeps only where something changes")


def _leads_far(mdp: MDP) -> bool:
    """Whether half of all transitions lead to where no neighbours are, by the numbers of the states."""
    rows = np.repeat(np.arange(mdp.n_states), np.diff(mdp.indptr[:: mdp.n_actions]))
    return bool(np.median(np.abs(mdp.next_state - rows)) > _FAR * mdp.n_states)


def _forgets(mdp: MDP) -> bool:
    """Whether sweeps without discount shrink the span of T v - v by a tenth each, or by more."""
    gain = np.add.reduceat(mdp.prob * mdp.reward, mdp.indptr[:-1])
    v, spans = np.zeros(mdp.n_states), []
    for _ in range(_SWEEPS):
        q = gain + np.add.reduceat(mdp.prob * v[mdp.next_state], mdp.indptr[:-1])
        v, before = q.reshape(mdp.n_states, -1).max(axis=1), v
        spans.append(float(np.ptp(v - before)))
    return spans[-1] <= 0.9 ** (_SWEEPS - 1) * spans[0]


def _size(world: World) -> int:
    if isinstance(world, gym.Env):
        space = world.observation_space
        return int(space.n) if isinstance(space, gym.spaces.Discrete) else 0
    return world.n_states if isinstance(world, MDP) else len(world.rule)

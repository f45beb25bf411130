"""Which planner suits a world: what `rlkit solve` takes when nobody names one."""

import os
from typing import Any, NamedTuple

import gymnasium as gym

from rlkit.mdp import MDP
from rlkit.tabular.problem import World

SMALL = 20_000  # states up to which a sparse direct solve takes no time worth saving
LARGE = 50_000  # states from which a second thread earns more than its start costs


class Choice(NamedTuple):
    """A planner, the options that differ from its defaults, and why it was taken."""

    planner: str
    options: dict[str, Any]
    reason: str


def choose(world: World, gamma: float) -> Choice:
    """Choose a planner for a world by its size and the discount.

    Args:
        world: an environment with a model, an MDP, or rules.
        gamma: the discount.
    """
    n_states = _size(world)
    if gamma >= 1.0 and n_states <= SMALL:
        return Choice("policy_iteration", {}, f"exact at gamma 1, and {n_states:,} states are few")
    if n_states >= LARGE and (os.cpu_count() or 1) >= 2:
        reason = f"sweeps only where something changes, on two threads for {n_states:,} states"
        return Choice("prioritized_sweeping", {"threads": 2}, reason)
    return Choice("prioritized_sweeping", {}, "sweeps only where something changes")


def _size(world: World) -> int:
    if isinstance(world, gym.Env):
        space = world.observation_space
        return int(space.n) if isinstance(space, gym.spaces.Discrete) else 0
    return world.n_states if isinstance(world, MDP) else len(world.rule)

"""A planning problem: the model to sweep and the discount, from an environment, an MDP or rules, checked at the door."""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.mdp import MDP, checked_mdp, from_env
from rlkit.rules import Rules, checked_rules, find_rules, rules_from_env
from rlkit.tabular.bellman import q_of
from rlkit.tabular.circles import pays_for_ever
from rlkit.tabular.ends import ending_policy, masses, never_ends
from rlkit.tabular.model import Model, sparse, stencil

World = gym.Env[Any, Any] | MDP | Rules  # whatever has a model


@dataclass(frozen=True)
class Problem:
    """max_pi E[sum gamma^t r_t] on a finite MDP."""

    model: Model
    gamma: float
    ergodic: bool  # no action ever ends the episode
    rate: float  # the largest weight of going on: gamma, but for rows that do not sum to one to the last digit

    @property
    def n_states(self) -> int:
        """S."""
        return self.model.n_states

    @property
    def n_actions(self) -> int:
        """A."""
        return self.model.n_actions

    def q(self, v: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the action values [S, A] of v (Zhao (2.14))."""
        return q_of(self.model, v, self.n_actions)


def make_problem(world: World, gamma: float, *, structure: bool = True) -> Problem:
    """Read the model of a world and multiply the discount in.

    Args:
        world: an environment with a model, an MDP, or rules.
        gamma: the discount, in [0, 1].
        structure: look for local rules in the arrays of an MDP; False sweeps them as they are.

    Raises:
        ValueError: gamma out of range, what is no world, rows that sum to more than one can bear, an environment without
            a model, or gamma 1 where the optimal return has no bound.
    """
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma is {gamma}; it must lie between 0 and 1")
    model = read_model(world, gamma, structure)
    rate = max(gamma, float(masses(model).max()))
    if rate > gamma + 1e-12 and rate >= 1.0:
        raise ValueError(
            f"the probabilities of an action sum to {rate / gamma:.12g}, which gamma {gamma} does not make less than 1; "
            "divide each row by its sum"
        )
    if gamma == 1.0:
        _check_ends(model)
        rate = 1.0
    return Problem(model, gamma, gamma < 1.0 and never_ends(model, gamma), rate)


def read_model(world: World, gamma: float, structure: bool) -> Model:
    """Find the best form of a world's model: rules that it states, rules found in its arrays, rows with lanes, plain rows.

    Raises:
        ValueError: an environment without a model, a batch of environments, arrays that are no MDP.
    """
    if isinstance(world, gym.vector.VectorEnv):
        raise ValueError(
            f"the world is a batch of {world.num_envs} environments, and a planner takes a single one: "
            "pass gym.make(...) in place of gym.make_vec(...)"
        )
    if not isinstance(world, gym.Env | MDP | Rules):
        kind = type(world).__name__
        raise ValueError(f"the world is a {kind}; pass an environment, an MDP or Rules")
    if isinstance(world, gym.Env):
        rules = rules_from_env(world) if structure else None
        shared = None if rules is None else stencil(rules, gamma)
        if shared is not None:
            return shared
        mdp = from_env(world)
        if mdp is None:
            name = world.spec.id if world.spec else type(world.unwrapped).__name__
            raise ValueError(
                f"{name} has no model to plan with: neither `P` nor `transitions` is found on it, or a wrapper that may "
                "change observations or rewards stands before it; plan on env.unwrapped, or learn from samples instead"
            )
        world = mdp
    elif isinstance(world, MDP):
        world = checked_mdp(world)
    if isinstance(world, Rules):
        world = checked_rules(world)
        shared = stencil(world, gamma)
        if shared is None:
            raise ValueError(
                f"these rules have too many successors or actions for a stencil of {len(world.rule)} states"
            )
        return shared
    if structure:
        rules = find_rules(world)
        shared = None if rules is None else stencil(rules, gamma)
        if shared is not None:
            return shared
    return stencil(world, gamma) or sparse(world, gamma)


def _check_ends(model: Model) -> None:
    """Refuse gamma 1 where some state can never come to an end, or is paid on the whole for not coming to one."""
    ends = ending_policy(model) >= 0
    if not ends.all():
        state = int(np.argmin(ends))
        raise ValueError(
            f"gamma is 1, but an episode from state {state} can never end ({int((~ends).sum())} such states), so its "
            "return has no bound; use gamma < 1, or a world with a terminal target"
        )
    paid = pays_for_ever(model)
    if paid.any():
        raise ValueError(
            f"gamma is 1, but from state {int(np.argmax(paid))} on, going round in circles for ever earns more than it costs, "
            "so that the optimal return has no bound; use gamma < 1"
        )

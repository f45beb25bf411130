"""The worlds of the study, each with a policy half way to the optimum and everything that is exactly known about it."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import rlkit
from rlkit import exact
from rlkit.mdp import MDP

Array = NDArray[np.float64]


class World(NamedTuple):
    """A world in which every episode ends, and the discounts under which it is looked at."""

    name: str
    env: str
    arguments: dict[str, Any]
    gamma: float
    score_gamma: float  # of the score that group methods give a whole episode
    pass_fail: bool = False  # episodes start alike, and the score is 1 or 0


WORLDS = (
    World("5x5", "GridWorld-v0", {"layout": "book-5x5", "target": "terminal", "start": (0, 0)}, 0.9, 0.9),
    World("3x3", "GridWorld-v0", {"layout": "book-3x3", "target": "terminal"}, 0.9, 0.9),
    World("FrozenLake", "FrozenLake-v1", {}, 0.99, 1.0, True),  # 1 at the goal, 0 in a hole
)


class Case(NamedTuple):
    """A world, a softmax policy, and the truth about it."""

    world: World
    mdp: MDP
    theta: Array  # [S, A] the policy's parameters: pi(a|s) ∝ exp theta(s, a)
    pi: Array  # [S, A]
    v: Array  # [S]
    q: Array  # [S, A]
    gradient: Array  # [S, A] the policy gradient, states weighted by Σ_t gamma^t Pr(s_t = s)
    undiscounted: Array  # [S, A] the same with states weighted by Σ_t Pr(s_t = s): what is left when gamma^t is dropped
    score_gradient: Array  # [S, A] the policy gradient at score_gamma
    score: float  # the objective at score_gamma

    @property
    def gamma(self) -> float:
        return self.world.gamma


def make(world: World) -> Case:
    """Build the world and climb its exact gradient from the uniform policy half way up."""
    mdp = rlkit.from_env(gym.make(world.env, **world.arguments))
    assert mdp is not None
    theta = half_way(mdp, world.gamma)
    pi = softmax(theta)
    return Case(
        world,
        mdp,
        theta,
        pi,
        exact.value(mdp, pi, world.gamma),
        exact.action_value(mdp, pi, world.gamma),
        exact.policy_gradient(mdp, pi, world.gamma),
        undiscounted_gradient(mdp, pi, world.gamma),
        exact.policy_gradient(mdp, pi, world.score_gamma),
        exact.objective(mdp, pi, world.score_gamma),
    )


def half_way(mdp: MDP, gamma: float, length: float = 0.1) -> Array:
    """Return the first theta [S, A] on the way up, in steps of this length, with half the uniform policy's regret."""
    best = rlkit.make("policy_iteration", mdp, gamma=gamma)
    list(best.updates(100))
    start = np.diff(mdp.start_cdf, prepend=0.0)
    theta = np.zeros((mdp.n_states, mdp.n_actions))
    goal = (exact.objective(mdp, softmax(theta), gamma) + float(start @ best.v)) / 2.0
    while exact.objective(mdp, softmax(theta), gamma) < goal:
        up = exact.policy_gradient(mdp, softmax(theta), gamma)
        theta += length * up / np.linalg.norm(up)
    return theta


def softmax(theta: Array) -> Array:
    """Return the policy of the parameters, over the last axis."""
    raised = np.exp(theta - theta.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def undiscounted_gradient(mdp: MDP, pi: Array, gamma: float) -> Array:
    """Return Σ_t Pr(s_t = s) pi(a|s) (q(s, a) - v(s)), [S, A]: discounted advantages, states counted without discount.

    What nearly every implementation follows. It is in general the gradient of no objective at all (arXiv:1906.07073).
    """
    return exact.action_occupancy(mdp, pi, 1.0) * exact.advantage(mdp, pi, gamma)

"""What tests of Zhao's chapters 1 to 4 share: his worlds, printed values, and solutions of them."""

import gymnasium as gym
import numpy as np

import envs  # noqa: F401 - registers the ids
from rlkit import agents, exact
from rlkit.mdp import from_env

UP, RIGHT, DOWN, LEFT, STAY = range(5)
TARGET = 17  # cell (4, 3) of the 5x5
FORBIDDEN = [6, 7, 12, 16, 18, 21]
FIGURE_3_4_A = """
5.8 5.6 6.2 6.5 5.8
6.5 7.2 8.0 7.2 6.5
7.2 8.0 10. 8.0 7.2
8.0 10. 10. 10. 8.0
7.2 9.0 10. 9.0 8.1
"""
FIGURE_3_4_D = """
3.5 3.9 4.3 4.8 5.3
3.1 3.5 4.8 5.3 5.9
2.8 2.5 10. 5.9 6.6
2.5 10. 10. 10. 7.3
2.3 9.0 10. 9.0 8.1
"""


def world(layout="book-5x5", **arguments):
    return gym.make("GridWorld-v0", layout=layout, **arguments)


def printed(figure):
    return np.array(figure.split(), float)


def solve(env, gamma=0.9, name="policy_iteration", **config):
    agent = agents.make(name, env, gamma=gamma, **config)
    list(agent.updates(5000))
    assert agent.converged
    return agent


def value_of(env, policy, gamma=0.9):
    mdp = from_env(env)
    pi = exact.deterministic(mdp, policy) if np.ndim(policy) == 1 else policy
    return exact.value(mdp, pi, gamma)


def journey(env, policy, s, steps=30):
    """The states that a deterministic policy visits, s first."""
    mdp = from_env(env)
    path = [s]
    for _ in range(steps):
        s = int(mdp.next_state[mdp.indptr[s * mdp.n_actions + policy[s]]])
        path.append(s)
    return path

"""A plain loop around `env.step` that draws as the drivers do: what slow references of agents are made with."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np

from rlkit.tabular.random import agent_stream, env_seed, to_generator

LIMIT = 30  # steps of an episode


class Step(NamedTuple):
    """What happened, and what the agent is going to do (-1: not yet chosen)."""

    s: int
    a: int
    r: float
    s_next: int
    terminated: bool
    ends: bool
    a_next: int = -1


def world(name):
    return gym.make(name, max_episode_steps=LIMIT)


def follow(name, seed, steps, learner):
    """Step the world `name`; `learner.begin(s)` returns an action, `learner.learn(step)` the next."""
    env = world(name)
    learner.rng = to_generator(agent_stream(seed)[0])
    a = None
    for k in range(steps):
        if a is None:
            s, _ = env.reset(seed=env_seed(seed) if k == 0 else None)
            a = learner.begin(s)
        s_next, r, terminated, truncated, _ = env.step(a)
        following = learner.learn(Step(s, a, r, s_next, terminated, terminated or truncated))
        s, a = s_next, None if terminated or truncated else following
    return learner


class Uniform:
    """Values the uniform policy; `update(step)` is what a method adds."""

    def __init__(self, phi, n_actions):
        self.phi, self.n_actions = phi, n_actions
        self.w = np.zeros(phi.shape[1])
        self.rng = np.random.default_rng(0)

    def begin(self, s):
        self.s0 = s
        self.start()
        return self.draw()

    def learn(self, step):
        self.update(step)
        return self.draw()

    def draw(self):
        return int(
            np.searchsorted(np.cumsum(np.full(self.n_actions, 1 / self.n_actions))[:-1], self.rng.random(), "right")
        )

    def start(self):
        pass


class Greedy:
    """Acts epsilon-greedily on weights w [A, d]; `update(step)` is what a method adds."""

    def __init__(self, phi, n_actions, epsilon=0.1, *, choose_first=True):
        self.phi, self.epsilon, self.choose_first = phi, epsilon, choose_first
        self.w = np.zeros((n_actions, phi.shape[1]))
        self.rng = np.random.default_rng(0)

    def q(self, s):
        return self.w @ self.phi[s]

    def begin(self, s):
        self.s0 = s
        self.start()
        return self.choose(s)

    def learn(self, step):
        if not self.choose_first:
            self.update(step)
            return self.choose(step.s_next)
        a_next = self.choose(step.s_next)
        self.update(step._replace(a_next=a_next))
        return a_next

    def choose(self, s):
        q, u = self.q(s), self.rng.random()
        if u < self.epsilon:
            return int(u / self.epsilon * len(q))
        ties = np.flatnonzero(q == q.max())
        return int(ties[int((u - self.epsilon) / (1 - self.epsilon) * len(ties))])

    def start(self):
        pass


def features(agent):
    """The agent's feature matrix [S, d]."""
    from rlkit.learning.weights import feature_matrix

    memory = agent.memories[0]
    held = getattr(memory, "weights", memory)
    return feature_matrix(held, held.w.shape[-1] if hasattr(held, "w") else len(held.b))

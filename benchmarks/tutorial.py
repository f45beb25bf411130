"""Q-learning and Sarsa in plain Python, and the book's 5x5 as a custom environment, both as tutorials write them.

The world keeps places as NumPy arrays, looks directions up in a dictionary, clips at the edge, observes a dictionary of
places, and says the distance to the target in its info: so does the grid in Gymnasium's guide to custom environments. The
agent keeps a dictionary of NumPy rows, a method to act, one to learn, and a list of errors. Nothing in either is slow on purpose.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

GAMMA, ALPHA, EPSILON = 0.9, 0.1, 0.1
NAME = "TutorialGrid-v0"
Obs = dict[str, Any]


class TutorialGrid(gym.Env[Obs, int]):
    """The book's 5x5: the same cells, rewards and actions as GridWorld-v0."""

    def __init__(self, size: int = 5) -> None:
        self.size = size
        self.target = np.array([3, 2])
        self.forbidden = {(1, 1), (1, 2), (2, 2), (3, 1), (3, 3), (4, 1)}
        self.agent = np.array([0, 0])
        place = gym.spaces.Box(0, size - 1, shape=(2,), dtype=int)
        self.observation_space = gym.spaces.Dict({"agent": place, "target": place})
        self.action_space = gym.spaces.Discrete(5)
        self.directions = {
            0: np.array([-1, 0]),
            1: np.array([0, 1]),
            2: np.array([1, 0]),
            3: np.array([0, -1]),
            4: np.array([0, 0]),
        }

    def _observe(self) -> Obs:
        return {"agent": self.agent, "target": self.target}

    def _inform(self) -> dict[str, Any]:
        return {"distance": np.linalg.norm(self.agent - self.target, ord=1)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.agent = np.array([0, 0])
        return self._observe(), self._inform()

    def step(self, action: int) -> tuple[Obs, float, bool, bool, dict[str, Any]]:
        wanted = self.agent + self.directions[action]
        self.agent = np.clip(wanted, 0, self.size - 1)
        if not np.array_equal(self.agent, wanted):
            reward = -1.0  # an attempt to leave
        elif np.array_equal(self.agent, self.target):
            reward = 1.0
        elif tuple(self.agent) in self.forbidden:
            reward = -1.0
        else:
            reward = 0.0
        return self._observe(), reward, False, False, self._inform()


class QLearning:
    """The agent of the tutorials; an observation is a key of its dictionary."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self.env = env
        self.q: dict[Any, Any] = defaultdict(lambda: np.zeros(env.action_space.n))  # type: ignore[attr-defined]  # as tutorials write it; it is Discrete
        self.errors: list[float] = []

    def act(self, obs: Any) -> int:
        if np.random.random() < EPSILON:  # noqa: NPY002 - as tutorials do
            return int(self.env.action_space.sample())
        return int(np.argmax(self.q[obs]))

    def learn(self, obs: Any, action: int, reward: float, terminated: bool, next_obs: Any) -> None:
        future = (not terminated) * np.max(self.q[next_obs])
        error = reward + GAMMA * future - self.q[obs][action]
        self.q[obs][action] = self.q[obs][action] + ALPHA * error
        self.errors.append(error)


class Sarsa(QLearning):
    """The same, but for the next action being chosen before it learns."""

    def follow(self, obs: Any, action: int, reward: float, terminated: bool, next_obs: Any, next_action: int) -> None:
        future = (not terminated) * self.q[next_obs][next_action]
        error = reward + GAMMA * future - self.q[obs][action]
        self.q[obs][action] = self.q[obs][action] + ALPHA * error
        self.errors.append(error)


def plain_q_learning(world: str) -> Callable[[int], Any]:
    """Return a run of so many steps; a dictionary of places becomes a tuple, as a key must."""
    env, key = make(world)
    agent = QLearning(env)

    def run(steps: int) -> QLearning:
        obs = key(env.reset(seed=0)[0])
        for _ in range(steps):
            action = agent.act(obs)
            seen, reward, terminated, truncated, _ = env.step(action)
            next_obs = key(seen)
            agent.learn(obs, action, reward, terminated, next_obs)
            obs = next_obs
            if terminated or truncated:
                obs = key(env.reset()[0])
        return agent

    return run


def plain_sarsa(world: str) -> Callable[[int], Any]:
    """Return a run of so many steps."""
    env, key = make(world)
    agent = Sarsa(env)

    def run(steps: int) -> Sarsa:
        obs = key(env.reset(seed=0)[0])
        action = agent.act(obs)
        for _ in range(steps):
            seen, reward, terminated, truncated, _ = env.step(action)
            next_obs = key(seen)
            next_action = agent.act(next_obs)
            agent.follow(obs, action, reward, terminated, next_obs, next_action)
            obs, action = next_obs, next_action
            if terminated or truncated:
                obs = key(env.reset()[0])
                action = agent.act(obs)
        return agent

    return run


def make(world: str) -> tuple[gym.Env[Any, Any], Callable[[Any], Any]]:
    """Return an environment with the wrappers that it comes with, and what makes a key of its observations."""
    if world == NAME and world not in gym.registry:
        gym.register(NAME, entry_point=TutorialGrid)
    env = gym.make(world)
    return env, (_places if isinstance(env.observation_space, gym.spaces.Dict) else lambda obs: obs)


def _places(obs: Obs) -> tuple[int, ...]:
    return (*obs["agent"].tolist(), *obs["target"].tolist())

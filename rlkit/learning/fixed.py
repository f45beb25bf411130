"""Learning from a fixed set of transitions, whoever took them: the agent's own kernel, a transition at a time."""

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from rlkit.agent import Agent, Report, name_of
from rlkit.learning.data import Transitions, check_transitions
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Setting


def learn_from(
    agent: Agent, data: Transitions, passes: int = 1, *, shuffle: bool = False, seed: int = 0
) -> Iterator[Report]:
    """Let every run of an agent learn from data instead of from steps of its own, and report after each pass.

    A transition counts as a step, so that schedules go on with it. How the agent explores decides nothing but, for
    expected Sarsa, the policy that it learns the value of.

    Args:
        agent: one that learns off-policy from single steps, such as q_learning.
        data: collected by `collect`, read from a file, or put together by hand.
        passes: times through all of it.
        shuffle: whether each pass goes through it in an order of its own.
        seed: of the first run's orders; the next runs count on from it.

    Raises:
        ValueError: the agent cannot learn from the steps of others, or the data does not fit it.
    """
    if not isinstance(agent, Learner) or not agent.method.from_data:
        raise ValueError(
            f"{name_of(agent)} does not learn from the steps of others; take an agent that learns off-policy from single "
            "steps, such as q_learning"
        )
    if passes < 1:
        raise ValueError(f"passes is {passes}; at least 1 is needed")
    found = check_transitions(data)
    _check_fit(agent.setting, agent.memories[0], found)
    rngs = [np.random.default_rng(seed + i) if shuffle else None for i in range(agent.config.seeds)]
    return _passes(agent, found, passes, rngs)


def _check_fit(setting: Setting, memory: Any, data: Transitions) -> None:
    low, high = setting.first_action, setting.first_action + setting.n_actions
    wrong = np.flatnonzero((data.action < low) | (data.action >= high))
    if len(wrong):
        raise ValueError(f"action[{wrong[0]}] is {data.action[wrong[0]]}; the agent's are {low} .. {high - 1}")
    space = gym.spaces.Discrete(setting.n_states) if setting.env is None else setting.env.observation_space
    shape = (len(space),) if isinstance(space, gym.spaces.Tuple) else space.shape
    for key, array in (("obs", data.obs), ("next_obs", data.next_obs)):
        if array.shape[1:] != shape:
            raise ValueError(f"{key} has rows of shape {array.shape[1:]}; the agent's observations have {shape}")
        if not isinstance(space, gym.spaces.Box) and array.dtype.kind == "f":
            raise ValueError(f"{key} has the type {array.dtype}; the agent's observations are whole numbers")
        for i, obs in enumerate(array):
            if not 0 <= setting.observe(memory, obs, 0) < setting.n_states:
                raise ValueError(f"{key}[{i}] is {obs}, which is none of the agent's {setting.n_states} states")


def _passes(agent: Learner, data: Transitions, passes: int, rngs: list[np.random.Generator | None]) -> Iterator[Report]:
    observe, learn = agent.setting.observe, agent.method.learn
    obs, next_obs = list(data.obs), list(data.next_obs)
    steps = list(
        zip(data.action.tolist(), data.reward.tolist(), data.terminated.tolist(), data.truncated.tolist(), strict=True)
    )
    for _ in range(passes):
        for memory, rng in zip(agent.memories, rngs, strict=True):
            for i in range(len(steps)) if rng is None else rng.permutation(len(steps)).tolist():
                a, r, terminated, truncated = steps[i]
                s, s_next = observe(memory, obs[i], 0), observe(memory, next_obs[i], 1)
                learn(memory, s, a - agent.setting.first_action, r, s_next, terminated, truncated)
        agent.count(len(steps))
        yield agent.report()

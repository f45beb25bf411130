"""Measuring an agent: play episodes and say what they returned, with the error of the mean."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Agent, Attentive


class Evaluation(NamedTuple):
    """The outcome of E episodes."""

    mean: float  # of the returns
    std: float  # of the returns, with E - 1 in the denominator; NaN for one episode
    standard_error: float  # of the mean: std / sqrt(E)
    mean_length: float
    terminated: int  # episodes that the environment ended
    truncated: int  # episodes that a time limit cut, the environment's or `max_steps`
    returns: NDArray[np.float64]  # [E]
    lengths: NDArray[np.int64]  # [E]


def evaluate(
    agent: Agent,
    env: gym.Env[Any, Any] | str,
    episodes: int = 100,
    seed: int = 0,
    *,
    gamma: float = 1.0,
    max_steps: int = 10_000,
) -> Evaluation:
    """Play episodes with `agent.act`, without exploration.

    Args:
        agent: whose actions are taken.
        env: a Gymnasium environment (not a vector of them), or the id of one.
        episodes: E.
        seed: of the first reset; the later episodes go on with the environment's generator.
        gamma: discount of the returns Σ gamma^t r_{t+1}.
        max_steps: episodes are cut here if nothing else ends them, and counted as truncated.

    Raises:
        ValueError: naming the argument that makes no sense.
    """
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}; at least 1 is needed")
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}; at least 1 is needed")
    world: gym.Env[Any, Any] = gym.make(env) if isinstance(env, str) else env
    returns = np.zeros(episodes)
    lengths = np.zeros(episodes, np.int64)
    ended = 0
    for episode in range(episodes):
        obs, info = world.reset(seed=seed if episode == 0 else None)
        discount = 1.0
        for t in range(max_steps):
            if isinstance(agent, Attentive):
                agent.attend(info, first=t == 0)
            obs, reward, terminated, truncated, info = world.step(agent.act(obs))
            returns[episode] += discount * float(reward)
            discount *= gamma
            lengths[episode] += 1
            if terminated or truncated:
                ended += bool(terminated)
                break
    if isinstance(env, str):
        world.close()
    std = float(returns.std(ddof=1)) if episodes > 1 else np.nan
    return Evaluation(
        mean=float(returns.mean()),
        std=std,
        standard_error=std / float(np.sqrt(episodes)),
        mean_length=float(lengths.mean()),
        terminated=ended,
        truncated=episodes - ended,
        returns=returns,
        lengths=lengths,
    )

"""Every deep agent, with settings in which it learns small things soon; whoever adds an agent adds a line."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gymnasium as gym
import torch

from tests.ladder import Awkward, Rung


class Case(NamedTuple):
    """A deep agent in the tests."""

    agent: str
    config: Mapping[str, Any]  # for the ladder
    steps: int  # in which it climbs a rung
    value: Callable[[Any, list[float]], float]  # what the agent thinks an observation is worth
    continuous: bool = False  # it acts in numbers


def critic(agent: Any, obs: list[float]) -> float:
    """The value by an ActorCritic."""
    with torch.no_grad():
        return float(agent.policy.value(torch.tensor([obs]))[0])


ON_POLICY = {"envs": 8, "segment": 16, "lr": "linear(0.02, 0, 4000)", "hidden": (16,)}
CASES = [
    Case("ppo", {**ON_POLICY, "batch": 64, "epochs": 4}, 4000, critic),
    Case("ppo", {**ON_POLICY, "batch": 64, "epochs": 4}, 4000, critic, continuous=True),
    Case("a2c", {**ON_POLICY, "segment": 4}, 4000, critic),
    Case("a2c", {**ON_POLICY, "segment": 4}, 4000, critic, continuous=True),
]


class Resume(NamedTuple):
    """A training that is to be interrupted."""

    agent: str
    env: Callable[[], gym.Env[Any, Any]]
    config: Mapping[str, Any]
    steps: int  # half of it, in whole updates


SMALL = {"envs": 3, "segment": 8, "batch": 10, "epochs": 2, "hidden": (8,)}
RESUMES = {
    "ppo-native": Resume("ppo", lambda: gym.make("CartPole-v1"), {**SMALL, "lr": "linear(0.01, 0, 1000)"}, 96),
    "ppo-awkward": Resume(
        "ppo", Awkward, {**SMALL, "recurrent": 4, "normalise_obs": True, "normalise_rewards": True}, 96
    ),
    "a2c": Resume("a2c", Awkward, {"envs": 3, "segment": 4, "hidden": (8,), "shared": True, "normalise_obs": True}, 96),
    "ppo-numbers": Resume("ppo", lambda: Rung("both", continuous=True), {**SMALL, "seeds": 2, "value_clip": 0.2}, 96),
}

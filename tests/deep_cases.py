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
    value: (
        Callable[[Any, list[float]], float] | None
    )  # what the agent thinks an observation is worth, if it has a critic
    continuous: bool = False  # it acts in numbers


def critic(agent: Any, obs: list[float]) -> float:
    """The value by an ActorCritic."""
    with torch.no_grad():
        return float(agent.policy.value(torch.tensor([obs]))[0])


def expected(agent: Any, obs: list[float]) -> float:
    """The value by a policy and a critic of actions, Σ_a π(a|s) q(s, a)."""
    with torch.no_grad():
        seen = torch.tensor([obs])
        return float((torch.softmax(agent.policy.outputs(seen), -1) * agent.q(seen)).sum())


ON_POLICY = {"envs": 8, "segment": 16, "lr": "linear(0.02, 0, 4000)", "hidden": (16,)}
ON_EPISODES = {"envs": 8, "lr": "linear(0.1, 0, 4000)", "hidden": (16,), "value": 1.0}
ON_SEGMENTS = {"envs": 8, "segment": 4, "lr": "linear(0.02, 0, 4000)", "hidden": (16,)}
CASES = [
    Case("ppo", {**ON_POLICY, "batch": 64, "epochs": 4}, 4000, critic),
    Case("ppo", {**ON_POLICY, "batch": 64, "epochs": 4}, 4000, critic, continuous=True),
    Case("a2c", {**ON_POLICY, "segment": 4}, 4000, critic),
    Case("a2c", {**ON_POLICY, "segment": 4}, 4000, critic, continuous=True),
    Case("reinforce", ON_EPISODES, 4000, critic),
    Case("qac", {**ON_SEGMENTS, "critic_lr": "linear(0.05, 0, 4000)", "entropy": 0.0}, 4000, expected),
    Case("off_policy_ac", {**ON_SEGMENTS, "entropy": 0.0}, 4000, critic),
    Case("grpo", {"envs": 16, "batch": 16, "epochs": 2, "lr": "linear(0.05, 0, 2000)", "hidden": (16,)}, 2000, None),
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
    "reinforce": Resume("reinforce", Awkward, {"envs": 4, "hidden": (8,), "recurrent": 4}, 100),
    "grpo": Resume("grpo", Awkward, {"envs": 4, "group": 2, "batch": 3, "hidden": (8,), "kl": 0.1}, 100),
    "grpo-native": Resume(
        "grpo", lambda: gym.make("CartPole-v1"), {"envs": 4, "group": 4, "batch": 3, "seeds": 2}, 100
    ),
    "qac": Resume("qac", lambda: gym.make("FrozenLake-v1"), {"envs": 3, "segment": 4, "hidden": (8,)}, 96),
    "off_policy_ac": Resume("off_policy_ac", Awkward, {"envs": 3, "segment": 4, "hidden": (8,)}, 96),
    "ppo-numbers": Resume("ppo", lambda: Rung("both", continuous=True), {**SMALL, "seeds": 2, "value_clip": 0.2}, 96),
}

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


def action_value(agent: Any, obs: list[float]) -> float:
    """The value of the greedy action by a QNetwork."""
    with torch.no_grad():
        outputs = agent.net.along(torch.tensor([[obs]]), torch.zeros((1, 1), dtype=torch.bool))
        return float(agent.net.means(outputs).max())


def critics_value(agent: Any, obs: list[float]) -> float:
    """The value of the most probable action by the least of an actor-critic's critics."""
    with torch.no_grad():
        seen = torch.tensor([obs])
        action = agent.policy.act(seen, None).actions
        taken = agent.critics(seen)[:, 0, action] if action.dtype == torch.int64 else agent.critics(seen, action)
        return float(taken.min())


REPLAYED: dict[str, Any] = {
    "envs": 4,
    "warmup": 100,
    "train_every": 8,
    "target_every": 80,
    "epsilon": 0.5,
    "lr": "linear(0.02, 0, 3200)",
    "hidden": (16,),
    "activation": "tanh",  # a rectified unit is silent at observation 0
}
NUMBERS = {**REPLAYED, "tau": 0.2, "n_step": 3}
for absent in ("target_every", "epsilon"):
    del NUMBERS[absent]
CASES = [
    Case("ppo", {**ON_POLICY, "batch": 64, "epochs": 4}, 4000, critic),
    Case("ppo", {**ON_POLICY, "batch": 64, "epochs": 4}, 4000, critic, continuous=True),
    Case("a2c", {**ON_POLICY, "segment": 4}, 4000, critic),
    Case("a2c", {**ON_POLICY, "segment": 4}, 4000, critic, continuous=True),
    Case("reinforce", ON_EPISODES, 4000, critic),
    Case("qac", {**ON_SEGMENTS, "critic_lr": "linear(0.05, 0, 4000)", "entropy": 0.0}, 4000, expected),
    Case("off_policy_ac", {**ON_SEGMENTS, "entropy": 0.0}, 4000, critic),
    Case("grpo", {"envs": 16, "batch": 16, "epochs": 2, "lr": "linear(0.05, 0, 2000)", "hidden": (16,)}, 2000, None),
    Case("dqn", {**REPLAYED, "dueling": True, "n_step": 3}, 3200, action_value),
    Case("c51", {**REPLAYED, "low": -12.0, "high": 12.0, "atoms": 49, "n_step": 3}, 3200, action_value),
    Case("quantile_dqn", {**REPLAYED, "quantiles": 8, "prioritized": 0.5, "n_step": 3}, 3200, action_value),
    Case("ddpg", {**NUMBERS, "noise": 0.5}, 3200, critics_value, continuous=True),
    Case("td3", {**NUMBERS, "noise": 0.5}, 3200, critics_value, continuous=True),
    Case("sac", {**NUMBERS, "temperature": 0.02}, 3200, critics_value, continuous=True),
    Case("sac", {**NUMBERS, "temperature": 0.02}, 3200, critics_value),
]


class Resume(NamedTuple):
    """A training that is to be interrupted."""

    agent: str
    env: Callable[[], gym.Env[Any, Any]]
    config: Mapping[str, Any]
    steps: int  # half of it, in whole updates


SMALL = {"envs": 3, "segment": 8, "batch": 10, "epochs": 2, "hidden": (8,)}
REMEMBERING = {
    "envs": 3,
    "warmup": 30,
    "batch": 8,
    "capacity": 90,
    "train_every": 6,
    "hidden": (8,),
    "epsilon": "linear(1, 0.1, 200)",
}
LEARNING = {"envs": 3, "warmup": 30, "batch": 8, "capacity": 90, "train_every": 6, "hidden": (8,)}
RESUMES = {
    "ppo-native": Resume(
        "ppo", lambda: gym.make("CartPole-v1"), {**SMALL, "lr": "linear(0.01, 0, 1000)", "engine": "torch"}, 96
    ),
    "ppo-compiled": Resume("ppo", lambda: gym.make("CartPole-v1"), {**SMALL, "lr": 0.01, "engine": "compiled"}, 96),
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
    "dqn": Resume("dqn", lambda: gym.make("CartPole-v1"), {**REMEMBERING, "double": False, "seeds": 2}, 120),
    "dqn-awkward": Resume("dqn", Awkward, {**REMEMBERING, "recurrent": 4, "sequence": 6, "burn_in": 2}, 120),
    "c51": Resume("c51", Awkward, {**REMEMBERING, "prioritized": 0.6, "n_step": 3, "dueling": True}, 120),
    "quantile_dqn": Resume("quantile_dqn", Awkward, {**REMEMBERING, "n_step": 2, "quantiles": 5}, 120),
    "ddpg": Resume("ddpg", lambda: Rung("both", continuous=True), LEARNING, 120),
    "td3": Resume("td3", lambda: gym.make("Pendulum-v1"), {**LEARNING, "seeds": 2, "n_step": 2}, 120),
    "sac": Resume("sac", lambda: gym.make("Pendulum-v1"), LEARNING, 120),
    "sac-normalised": Resume("sac", lambda: gym.make("Pendulum-v1"), {**LEARNING, "normalise_obs": True}, 120),
    "dqn-normalised": Resume("dqn", Awkward, {**REMEMBERING, "normalise_obs": True, "recurrent": 4}, 120),
    "sac-discrete": Resume("sac", Awkward, LEARNING, 120),
}

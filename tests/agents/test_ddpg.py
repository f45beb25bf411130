"""DDPG: a learning step is the paper's, written out; and it finds the best of a quadratic bandit, and what that is worth."""

import copy

import gymnasium as gym
import pytest
import torch

import rlkit
from tests.agents.updates import agree, before_learning, descend, follow
from tests.bandits import EVENLY, QUADRATIC


def test_a_learning_step_is_the_papers_written_out():
    agent, drawn = before_learning("ddpg", gym.make("Pendulum-v1", max_episode_steps=20))
    nets = copy.deepcopy((agent.policy, agent.critics, agent.policy_target.net, agent.critics_target.net))
    agent._learn(drawn)
    policy, critics, slow_policy, slow_critics = nets
    obs, actions, after = drawn.rows.obs[:, 0], drawn.rows.actions[:, 0], drawn.rows.next_obs[:, 0]
    with torch.no_grad():  # Pendulum never ends: all bootstrap
        target = drawn.rows.rewards[:, 0] + 0.9 * slow_critics(after, slow_policy(after))[0]
    descend(critics, 0.5 * (critics(obs, actions)[0] - target).square().mean())
    descend(policy, -critics(obs, policy(obs))[0].mean())
    follow(slow_policy, policy)
    follow(slow_critics, critics)
    found = (agent.policy, agent.critics, agent.policy_target.net, agent.critics_target.net)
    for mine, its in zip(found, nets, strict=True):
        agree(mine, its)


def test_the_actors_gradient_is_the_chain_of_policy_and_critic():
    """∇_θ μ ∇_a Q, with ∇_a Q by finite differences; Zhao (10.14), Silver et al. (2014)."""
    agent, drawn = before_learning("ddpg", QUADRATIC)
    policy, critics = agent.policy.double(), agent.critics.double()
    obs = drawn.rows.obs[:1, 0].double()
    action = policy(obs)
    with torch.no_grad():
        slope = (critics(obs, action + 1e-5) - critics(obs, action - 1e-5))[0, 0] / 2e-5
    (whole,) = torch.autograd.grad(critics.first(obs, action)[0], [policy.net[0].weight], retain_graph=True)
    (chain,) = torch.autograd.grad(action[0, 0], [policy.net[0].weight])
    torch.testing.assert_close(whole, chain * slope, rtol=1e-5, atol=1e-9)
    assert slope.abs() > 1e-4


def learned(agent):
    """The best action and its value, as an agent has them after 3,000 steps."""
    for _ in agent.updates(3000):
        pass
    obs = torch.ones(1, 1)
    with torch.no_grad():
        action = agent.policy(obs)
        value = float(agent.critics.first(obs, action))
    return action, value


@pytest.mark.parametrize("name", ["ddpg", pytest.param("td3", marks=pytest.mark.slow)])
def test_it_finds_the_best_action_and_its_value(name):
    config = {**EVENLY, "envs": 4, "train_every": 4, "warmup": 800, "batch": 64, "hidden": (32,), "activation": "relu"}
    agent = rlkit.make(name, QUADRATIC, seed=1, lr="linear(0.01, 0, 3000)", noise=0.5, **config)
    action, value = learned(agent)
    assert float(action) == pytest.approx(1.0, abs=0.3)  # actions reach from -2 to 2, and it begins at 0
    assert value == pytest.approx(-float((action - 1.0) ** 2), abs=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["ddpg", "td3"])
def test_it_finds_them_by_any_seed_when_the_critic_learns_faster_than_the_actor_saturates(name, seed):
    config = {**EVENLY, "envs": 4, "train_every": 4, "gradient_steps": 4, "warmup": 800, "batch": 64}
    net = {"hidden": (64, 64), "activation": "relu", "lr": "linear(0.003, 0, 3000)", "noise": 0.5}
    agent = rlkit.make(name, QUADRATIC, seed=seed, **{**config, **net})
    action, value = learned(agent)
    assert float(action) == pytest.approx(1.0, abs=0.3)
    assert value == pytest.approx(-float((action - 1.0) ** 2), abs=0.15)

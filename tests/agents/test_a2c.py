"""A2C: an update is the paper's, written out with n-step returns; with λ = 0 it is the TD actor-critic; and it learns."""

import copy

import gymnasium as gym
import pytest
import torch

import rlkit
from tests.agents.test_ppo import Recall

GAMMA = 0.9


@pytest.mark.parametrize("lam", [1.0, 0.0])
def test_an_update_is_the_papers_written_out(lam):
    env = gym.make("CartPole-v1", max_episode_steps=20)
    agent = rlkit.make(
        "a2c", env, engine="torch", seed=0, envs=2, segment=50, gamma=GAMMA, lam=lam, lr=0.01, entropy=0.02
    )
    policy, segments, rng = copy.deepcopy((agent.policy, agent.player.segments, agent.player.rng))
    list(agent.updates(100))
    segments.policy = policy
    traj = segments.collect(50, rng)
    values, following = policy.values(traj), policy.next_values(traj).detach()
    targets = torch.zeros(2, 50)
    assert traj.truncated.any()
    assert traj.terminated.any()
    for n in range(2):
        for t in reversed(range(50)):
            ahead = 0.0 if traj.terminated[n, t] else following[n, t]
            last = t == 49 or traj.truncated[n, t] or traj.terminated[n, t]
            targets[n, t] = traj.rewards[n, t] + GAMMA * (ahead if last or lam == 0.0 else targets[n, t + 1])
    law = torch.distributions.Categorical(logits=policy.actor(traj.obs))
    loss = (
        -law.log_prob(traj.actions) * (targets - values.detach())
        + 0.25 * (values - targets) ** 2
        - 0.02 * law.entropy()
    )
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01, eps=1e-5)
    loss.mean().backward()
    torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
    optimizer.step()
    for mine, its in zip(agent.policy.parameters(), policy.parameters(), strict=True):
        torch.testing.assert_close(mine, its, atol=1e-6, rtol=1e-4)


def test_it_learns_cartpole():
    agent = rlkit.make("a2c", "CartPole-v1", seed=0)
    list(agent.updates(20_000))
    assert rlkit.evaluate(agent, "CartPole-v1", 20).mean > 250.0


def test_a_policy_with_memory_recalls_and_one_without_cannot():
    for units, least, most in ((16, 0.95, 1.0), (0, 0.2, 0.8)):
        agent = rlkit.make(
            "a2c", Recall(), seed=0, recurrent=units, envs=16, segment=12, hidden=(16,), lr="linear(0.02,0,20000)"
        )
        list(agent.updates(20_000 if units else 4_000))
        assert least <= rlkit.evaluate(agent, Recall(), 50).mean <= most

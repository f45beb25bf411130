"""SAC: a learning step is the paper's, written out; soft-optimal policies of bandits; the temperature finds the entropy asked for."""

import copy
import math

import gymnasium as gym
import numpy as np
import pytest
import torch

import rlkit
from tests.agents.updates import agree, before_learning, descend, follow
from tests.bandits import EVENLY, Once

REWARDS = (0.0, 1.0, 0.5)
ARMS = Once(gym.spaces.Discrete(3), lambda a, _: REWARDS[a])


def test_a_learning_step_is_the_papers_written_out():
    agent, drawn = before_learning("sac", gym.make("Pendulum-v1"))
    agent.temperature.load_state_dict(np.log(0.3))
    policy, critics, slow = nets = copy.deepcopy((agent.policy, agent.critics, agent.target.net))
    rng = copy.deepcopy(agent.player.rng)
    ahead, here = (torch.from_numpy(rng.standard_normal((16, 1))).float() for _ in range(2))
    agent._learn(drawn)
    obs, actions, after = drawn.rows.obs[:, 0], drawn.rows.actions[:, 0], drawn.rows.next_obs[:, 0]
    with torch.no_grad():
        acted, logprobs = policy.sample(after, ahead)
        worth = slow(after, acted).min(0).values - 0.3 * logprobs
        target = drawn.rows.rewards[:, 0] + 0.9 * worth
    descend(critics, sum(0.5 * (q - target).square().mean() for q in critics(obs, actions)))
    acted, logprobs = policy.sample(obs, here)
    entropy = -float(logprobs.detach().mean())
    descend(policy, (0.3 * logprobs - critics(obs, acted).min(0).values).mean())
    follow(slow, critics)
    for mine, its in zip((agent.policy, agent.critics, agent.target.net), nets, strict=True):
        agree(mine, its)
    assert agent.goal == -1.0
    step = -0.01 * math.copysign(1.0, entropy - agent.goal)  # Adam's first step: of the size of lr
    assert float(agent.temperature.log.detach()) == pytest.approx(math.log(0.3) + step, abs=1e-5)


def test_with_a_fixed_temperature_the_policy_is_the_soft_optimal_one():
    """π(a) = exp(r(a) / α) / Σ exp(r / α), and V = α log Σ exp(r / α); arXiv:1801.01290 eq. 4."""
    agent = rlkit.make("sac", ARMS, seed=0, temperature=0.5, lr="linear(0.03, 0, 2500)", **EVENLY)
    for _ in agent.updates(2500):
        pass
    with torch.no_grad():
        pi = agent.policy.logprobs(torch.ones(1, 1)).exp()[0].numpy()
        v, _ = agent.soft(agent.critics, torch.ones(1, 1), None, torch.zeros(1, 1), torch.tensor(0.5))
    weights = np.exp(np.array(REWARDS) / 0.5)
    np.testing.assert_allclose(pi, weights / weights.sum(), atol=0.03)
    assert float(v) == pytest.approx(0.5 * math.log(weights.sum()), abs=0.03)


@pytest.mark.parametrize("goal", [0.4, pytest.param(0.9, marks=pytest.mark.slow)])
def test_the_temperature_finds_the_entropy_asked_for(goal):
    agent = rlkit.make("sac", ARMS, seed=0, target_entropy=goal, lr="linear(0.03, 0, 2500)", **EVENLY)
    for _ in agent.updates(2500):
        pass
    with torch.no_grad():
        logs = agent.policy.logprobs(torch.ones(1, 1))[0]
    assert -float((logs.exp() * logs).sum()) == pytest.approx(goal, abs=0.05)
    alpha = float(agent.temperature.now)
    weights = np.exp(np.array(REWARDS) / alpha)
    np.testing.assert_allclose(logs.exp().numpy(), weights / weights.sum(), atol=0.05)

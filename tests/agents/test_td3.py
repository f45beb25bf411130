"""TD3: the target is the least of two critics at a smoothed action, written out; the actor and the target nets wait."""

import copy

import gymnasium as gym
import numpy as np
import torch

from tests.agents.updates import agree, before_learning, descend, follow


def test_a_learning_step_is_the_papers_written_out():
    agent, drawn = before_learning("td3", gym.make("Pendulum-v1"), delay=1, smooth=0.4, smooth_clip=0.3)
    nets = copy.deepcopy((agent.policy, agent.critics, agent.policy_target.net, agent.critics_target.net))
    noise = 0.4 * copy.deepcopy(agent.player.rng).standard_normal((16, 1))
    assert (np.abs(noise) > 0.3).any()
    agent._learn(drawn)
    policy, critics, slow_policy, slow_critics = nets
    obs, actions, after = drawn.rows.obs[:, 0], drawn.rows.actions[:, 0], drawn.rows.next_obs[:, 0]
    with torch.no_grad():  # torques reach from -2 to 2, and noise is measured where they reach from -1 to 1
        noisy = slow_policy(after) + 2.0 * torch.from_numpy(noise.clip(-0.3, 0.3).astype(np.float32))
        worth = slow_critics(after, noisy.clamp(-2.0, 2.0))
        target = drawn.rows.rewards[:, 0] + 0.9 * torch.minimum(worth[0], worth[1])
    descend(critics, sum(0.5 * (q - target).square().mean() for q in critics(obs, actions)))
    descend(policy, -critics(obs, policy(obs))[0].mean())
    follow(slow_policy, policy)
    follow(slow_critics, critics)
    found = (agent.policy, agent.critics, agent.policy_target.net, agent.critics_target.net)
    for mine, its in zip(found, nets, strict=True):
        agree(mine, its)


def test_actor_and_targets_move_at_every_third_step_alone():
    agent, drawn = before_learning("td3", gym.make("Pendulum-v1"), delay=3)
    moved = []
    for _ in range(6):
        before = [x.clone() for x in (agent.actor.flat, agent.critics_target.flat, agent.critic.flat)]
        agent._learn(drawn)
        after = (agent.actor.flat, agent.critics_target.flat, agent.critic.flat)
        moved.append([not torch.equal(x, y) for x, y in zip(before, after, strict=True)])
    assert moved == 2 * [[False, False, True], [False, False, True], [True, True, True]]

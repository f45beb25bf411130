"""Segments: what the policy saw and did, stepped by hand; true successors, memory that forgets, masks that hold."""

import gymnasium as gym
import numpy as np
import torch

from rlkit.policies.actor_critic import ActorCritic
from rlkit.sample.draws import agent_generator, draw
from rlkit.sample.vector import Segments
from rlkit.sample.worlds import Worlds
from tests.ladder import LIMIT, Awkward, Rung

CPU = torch.device("cpu")


def setting(env, count, **options):
    worlds = Worlds(env, count, 0)
    policy = ActorCritic(worlds.senses, worlds.action_space, (8,), generator=np.random.default_rng(0), **options)
    return worlds, policy


def test_a_segment_is_what_stepping_by_hand_gives():
    worlds, policy = setting("CartPole-v1", 3)
    twin = Worlds("CartPole-v1", 3, 0)
    segments, rng, hand = Segments(worlds, policy, CPU), agent_generator(5), agent_generator(5)
    for _ in range(2):
        traj = segments.collect(20, rng)
        for t in range(20):
            np.testing.assert_array_equal(traj.obs[:, t], twin.obs)
            with torch.no_grad():
                acted = policy.act(torch.from_numpy(twin.obs), draw(hand, policy.head, 3))
            step = twin.step(acted.actions.numpy())
            assert torch.equal(traj.actions[:, t], acted.actions)
            assert torch.equal(traj.logprobs[:, t], acted.logprobs)
            np.testing.assert_array_equal(traj.next_obs[:, t], step.next_obs)
            np.testing.assert_array_equal(traj.terminated[:, t], step.terminated)
    assert traj.mask.all()
    assert worlds.finished == twin.finished


def test_a_time_limit_shows_the_true_successor():
    worlds, policy = setting(gym.wrappers.TimeLimit(Rung("delayed"), 1), 2)
    traj = Segments(worlds, policy, CPU).collect(3, agent_generator(0))
    assert traj.truncated.all()
    assert not traj.terminated.any()
    assert traj.obs.abs().max() == 0.0  # each episode begins at 0 ...
    assert (traj.next_obs == 1.0).all()  # ... and was cut at 1
    worlds, policy = setting(Rung("endless"), 2)
    traj = Segments(worlds, policy, CPU).collect(2 * LIMIT, agent_generator(0))
    assert traj.truncated.nonzero()[:, 1].tolist() == [LIMIT - 1, 2 * LIMIT - 1] * 2


def test_memory_goes_on_over_segments_and_masks_come_along():
    worlds, policy = setting(Awkward(), 4, recurrent=8)
    segments = Segments(worlds, policy, CPU)
    rng = agent_generator(0)
    first, second = segments.collect(16, rng), segments.collect(16, rng)
    assert first.memory.abs().max() == 0.0
    assert second.memory.abs().max() > 0.0
    for traj in (first, second):
        torch.testing.assert_close(policy.evaluate(traj).logprobs, traj.logprobs)
        assert traj.allowed.gather(-1, traj.actions[..., None]).all()
    assert (first.terminated | first.truncated).any()


def test_draws_can_be_learned_from():
    worlds, policy = setting("Pendulum-v1", 2)
    traj = Segments(worlds, policy, CPU).collect(4, agent_generator(0))
    policy.evaluate(traj).logprobs.sum().backward()
    assert policy.log_std.grad.shape == (1,)
    assert traj.actions.shape == (2, 4, 1)

"""Whole episodes: padding, groups, limits, and the same numbers as playing them one by one."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rlkit.pg.returns import discounted_returns
from rlkit.policies.actor_critic import ActorCritic
from rlkit.sample.episodes import Episodes, outcomes
from rlkit.sample.worlds import Worlds
from tests.sample.small_worlds import Counter, Switches, Wheel

CPU = torch.device("cpu")


def sampler(source, count, group=1, limit=10_000, recurrent=0, vector="auto"):
    worlds = Worlds(source, count, seed=0, vector=vector)
    generator = np.random.default_rng(0)
    policy = ActorCritic(worlds.senses, worlds.action_space, (8,), generator=generator, recurrent=recurrent)
    return Episodes(worlds, policy, CPU, group, limit)


@pytest.mark.parametrize(("source", "vector"), [("CartPole-v1", "native"), ("CartPole-v1", "sync"), (Counter, "async")])
def test_rows_are_whole_episodes(source, vector):
    traj = sampler(source, 6, group=3, vector=vector).collect(np.random.default_rng(0))
    lengths = traj.lengths
    ends = traj.terminated | traj.truncated
    assert traj.mask.shape[1] == lengths.max()
    assert (traj.mask == (torch.arange(traj.mask.shape[1]) < lengths[:, None])).all()
    assert (ends.sum(1) == 1).all()
    assert (ends.long().argmax(1) == lengths - 1).all()
    assert traj.group.tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.equal(traj.rewards[~traj.mask], torch.zeros(int((~traj.mask).sum())))
    inside = traj.mask[:, 1:]
    assert torch.equal(traj.next_obs[:, :-1][inside], traj.obs[:, 1:][inside])


@pytest.mark.parametrize("vector", ["native", "sync"])
def test_a_group_begins_alike_and_the_numbers_are_those_of_single_environments(vector):
    episodes = sampler("CartPole-v1", 4, group=2, vector=vector)
    rng = np.random.default_rng(3)
    seeds = np.random.default_rng(3).integers(2**31, size=2)
    traj = episodes.collect(rng)
    assert torch.equal(traj.obs[0, 0], traj.obs[1, 0])
    assert not torch.equal(traj.obs[0, 0], traj.obs[2, 0])
    env = gym.make("CartPole-v1")
    for row, seed in enumerate(np.repeat(seeds, 2)):
        obs, _ = env.reset(seed=int(seed))
        for t in range(int(traj.lengths[row])):
            assert np.array_equal(obs, traj.obs[row, t].numpy())
            obs, reward, terminated, truncated, _ = env.step(int(traj.actions[row, t]))
            assert np.array_equal(obs, traj.next_obs[row, t].numpy())
            assert (reward, terminated, truncated) == (
                traj.rewards[row, t],
                traj.terminated[row, t],
                traj.truncated[row, t],
            )
        assert terminated or truncated


@pytest.mark.parametrize("source", [Counter, Switches, "FrozenLake-v1", "CartPole-v1"])
@pytest.mark.parametrize("recurrent", [0, 4])
def test_the_policy_says_of_the_rows_what_it_said_when_it_acted(source, recurrent):
    episodes = sampler(source, 5, recurrent=recurrent)
    traj = episodes.collect(np.random.default_rng(0))
    found = episodes.policy.evaluate(traj).logprobs
    assert torch.allclose(found[traj.mask], traj.logprobs[traj.mask], atol=1e-5)
    found[traj.mask].sum().backward()
    if traj.allowed is not None and source is Counter:
        taken = traj.allowed.gather(2, traj.actions[..., None])[..., 0]
        assert taken[traj.mask].all()


def test_a_world_that_never_ends_is_cut_at_the_limit():
    traj = sampler(Wheel, 3, limit=7).collect(np.random.default_rng(0))
    assert traj.mask.all()
    assert traj.mask.shape == (3, 7)
    assert traj.truncated[:, -1].all()
    assert not traj.terminated.any()
    ones = torch.ones_like(traj.rewards)
    returns = discounted_returns(ones, 10 * ones, traj.terminated, traj.truncated, traj.mask, gamma=0.9)
    assert torch.allclose(returns, torch.full_like(returns, 10.0))


def test_outcomes_are_sums_of_rewards_and_lengths():
    traj = sampler("CartPole-v1", 8).collect(np.random.default_rng(0))
    assert outcomes(traj) == [(float(length), int(length)) for length in traj.lengths]


def test_the_same_generator_gives_the_same_episodes_and_uses_it_alike_however_long_they_are():
    left, right = sampler("CartPole-v1", 4), sampler("CartPole-v1", 4)
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    right.limit = 3
    cut, whole = right.collect(second), left.collect(first)
    assert torch.equal(cut.obs, whole.obs[:, :3])
    assert first.bit_generator.state == second.bit_generator.state


def test_groups_must_fill_the_worlds():
    with pytest.raises(ValueError, match="group is 3, and 4 episodes are played at a time"):
        sampler("CartPole-v1", 4, group=3)

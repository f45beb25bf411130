"""The batch against Gymnasium's SyncVectorEnv over single grid worlds, number by number, and its rollouts against its steps."""

import copy
import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit

import envs
from envs.gridworld import GridWorld
from envs.maps import parse
from envs.rollout import Rollout
from envs.vector import GridWorldVectorEnv
from tests.envs.twins import masked, same
from tests.envs.vector_pair import MODES, WORLDS, N, pair


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("world", WORLDS)
def test_every_step_equals_sync_vector_env(world, mode):
    fast, slow = pair(world, mode)
    assert fast.observation_space == slow.observation_space
    assert fast.action_space == slow.action_space
    assert fast.single_observation_space == slow.single_observation_space
    assert fast.metadata["autoreset_mode"] is mode
    same(fast.reset(seed=11), slow.reset(seed=11))
    rng = np.random.default_rng(0)
    episodes = 0
    for t in range(150):
        actions = rng.integers(0, fast.single_action_space.n, N)
        left, right = fast.step(actions), slow.step(actions)
        same(left, right)
        episodes += np.sum(left[2] | left[3])
        if mode is AutoresetMode.DISABLED and (left[2] | left[3]).any():
            same(fast.reset(options=masked(*left[2:4])), slow.reset(options=masked(*right[2:4])))
        if t == 80:
            same(fast.reset(), slow.reset())  # generators and the change of a layout go on
        if t == 120:
            seeds = [None, 5, None, 5, 9, 2**70, 0]
            same(fast.reset(seed=seeds), slow.reset(seed=seeds))
    limited = "max_episode_steps" in WORLDS[world] or WORLDS[world].get("target") == "terminal"
    assert (episodes > 0) == limited
    for mine, theirs in zip(fast.np_random, slow.np_random, strict=True):
        assert mine.bit_generator.state == theirs.bit_generator.state
    fast.close()
    slow.close()


@pytest.mark.parametrize("mode", MODES)
def test_partial_reset_in_every_mode(mode):
    fast, slow = pair("slip, terminal, limit", mode)
    same(fast.reset(seed=3), slow.reset(seed=3))
    rng = np.random.default_rng(1)
    for _ in range(40):
        actions = rng.integers(0, 5, N)
        left = fast.step(actions)
        same(left, slow.step(actions))
        mask = rng.random(N) < 0.3
        if mode is AutoresetMode.DISABLED:
            mask |= left[2] | left[3]
        if mask.any():
            seed = int(rng.integers(100)) if rng.random() < 0.5 else None
            same(
                fast.reset(seed=seed, options={"reset_mask": mask}), slow.reset(seed=seed, options={"reset_mask": mask})
            )


@pytest.mark.parametrize("world", ["slip", "blocking"])
def test_episodes_begin_in_the_state_asked_for(world):
    fast, slow = pair(world, AutoresetMode.SAME_STEP)
    rng = np.random.default_rng(2)
    same(fast.reset(seed=1, options={"state": 4}), slow.reset(seed=1, options={"state": 4}))
    for _ in range(60):
        actions = rng.integers(0, fast.single_action_space.n, N)
        same(fast.step(actions), slow.step(actions))
    same(fast.reset(options={"state": 8}), slow.reset(options={"state": 8}))
    with pytest.raises(ValueError, match="state"):
        fast.reset(options={"state": 10_000})


def test_layouts_change_under_each_sub_environment_by_itself():
    fast, slow = pair("shortcut", AutoresetMode.NEXT_STEP)
    same(fast.reset(seed=0), slow.reset(seed=0))
    rng = np.random.default_rng(3)
    changed = set()
    for _ in range(60):
        actions = rng.integers(0, fast.single_action_space.n, N)
        same(fast.step(actions), slow.step(actions))
        changed.add(tuple(env.unwrapped.layout.later is None for env in slow.envs))
        assert tuple(fast._batch.change.form == 1) == tuple(env.unwrapped.layout.later is None for env in slow.envs)
    assert (False,) * N in changed
    assert (True,) * N in changed


def test_after_a_change_the_new_walls_count():
    later = parse("S..\n##.\n..T")
    layout = dataclasses.replace(parse("S##\n...\n..T"), later=later)
    world = {"layout": layout, "change_at": 6, "start": "uniform", "slip": 0.2}
    fast = GridWorldVectorEnv(N, max_episode_steps=5, autoreset_mode="SameStep", **world)
    slow = gym.vector.SyncVectorEnv([lambda: TimeLimit(GridWorld(**world), 5)] * N, autoreset_mode="SameStep")
    same(fast.reset(seed=0), slow.reset(seed=0))
    with pytest.raises(ValueError, match="cannot be entered"):
        fast.reset(options={"state": 1})
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.integers(0, 5, N)
        same(fast.step(actions), slow.step(actions))
    assert (fast._batch.change.form == 1).all()
    with pytest.raises(ValueError, match="cannot be entered"):
        fast.reset(options={"state": 3})
    same(fast.reset(options={"state": 1}), slow.reset(options={"state": 1}))


@pytest.mark.parametrize("name", envs.IDS)
def test_every_registered_world(name):
    fast, slow = gym.make_vec(name, 3, slip=0.3), gym.make_vec(name, 3, vectorization_mode="sync", slip=0.3)
    same(fast.reset(seed=1), slow.reset(seed=1))
    rng = np.random.default_rng(0)
    for _ in range(30):
        actions = rng.integers(0, fast.single_action_space.n, 3)
        same(fast.step(actions), slow.step(actions))


def stepped(env, actions):
    """A rollout by `step`: the slow twin of `rollout`."""
    obs = [env._batch.state % env._table.n_states]
    rows = []
    for row in actions:
        s, reward, terminated, truncated, infos = env.step(row)
        after = s.copy()
        if "final_obs" in infos:
            after[infos["_final_obs"]] = infos["final_obs"][infos["_final_obs"]]
        obs.append(s)
        rows.append((row, reward, terminated, truncated, after))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Rollout(np.array(obs), *columns)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("world", WORLDS)
def test_rollout_is_stepping(world, mode):
    fast, _ = pair(world, mode)
    fast.reset(seed=5)
    slow = copy.deepcopy(fast)
    rng = np.random.default_rng(0)
    for t in (30, 1, 40):
        actions = rng.integers(0, fast.single_action_space.n, (t, N))
        for a, b in zip(fast.rollout(actions), stepped(slow, actions), strict=True):
            assert np.array_equal(a, b)
    assert np.array_equal(fast._batch.rng, slow._batch.rng)


def test_rollout_splits_large_batches_into_blocks():
    world = {"slip": 0.3, "target": "terminal", "max_episode_steps": 20, "autoreset_mode": "SameStep"}
    fast = GridWorldVectorEnv(4096 + 33, **world)
    fast.reset(seed=0)
    slow = copy.deepcopy(fast)
    actions = np.random.default_rng(0).integers(0, 5, (25, 4096 + 33))
    for a, b in zip(fast.rollout(actions), stepped(slow, actions), strict=True):
        assert np.array_equal(a, b)


def split_mix(z):
    """SplitMix64 in whole numbers: the word of the state z."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_split_mix_of_the_paper():
    # the first words of Java's SplittableRandom(1234567), the reference implementation
    words = [split_mix((1234567 + k * 0x9E3779B97F4A7C15) % 2**64) for k in (1, 2, 3)]
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("n_actions", [4, 5, 9])
def test_random_actions_are_the_documented_ones(n_actions):
    env = GridWorldVectorEnv(N, actions=n_actions, slip=0.2, max_episode_steps=6, autoreset_mode="SameStep")
    twin = GridWorldVectorEnv(N, actions=n_actions, slip=0.2, max_episode_steps=6, autoreset_mode="SameStep")
    seeds = [3, 4, 2**64 - 1, 2**64 + 3, 2**200 + 1, 0, 77]
    env.reset(seed=seeds)
    twin.reset(seed=seeds)
    actions = np.empty((50, N), np.int64)
    for i, seed in enumerate(seeds):
        z = split_mix(seed % 2**64)
        for t in range(50):
            z = (z + 0x9E3779B97F4A7C15) % 2**64
            actions[t, i] = (split_mix(z) >> 32) * n_actions >> 32
    rolled = [env.rollout_random(20), env.rollout_random(30)]
    assert np.array_equal(np.concatenate([r.actions for r in rolled]), actions)
    expected = stepped(twin, actions)
    for name in ("rewards", "terminated", "truncated", "next_observations"):
        assert np.array_equal(np.concatenate([getattr(r, name) for r in rolled]), getattr(expected, name))
    assert np.array_equal(rolled[1].observations, expected.observations[20:])


def test_random_actions_are_uniform():
    env = GridWorldVectorEnv(1000)
    env.reset(seed=0)
    counts = np.bincount(env.rollout_random(1000).actions.ravel(), minlength=5)
    assert np.sum((counts - 2e5) ** 2 / 2e5) < 18.5  # chi squared, 4 degrees of freedom: p = 0.001


def test_rollout_writes_into_buffers():
    env = GridWorldVectorEnv(N, slip=0.2)
    env.reset(seed=0)
    out = env.rollout_random(10)
    kept = copy.deepcopy(out)
    env.reset(seed=0)
    assert env.rollout_random(10, out=out) is out
    assert all(np.array_equal(a, b) for a, b in zip(out, kept, strict=True))
    with pytest.raises(ValueError, match=r"out.observations is int32\[11, 7\]; int32\[12, 7\]"):
        env.rollout_random(11, out=out)
    with pytest.raises(ValueError, match=r"out.rewards .* not contiguous"):
        env.rollout_random(10, out=out._replace(rewards=np.empty((7, 10)).T))

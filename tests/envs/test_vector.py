"""The batch against Gymnasium's SyncVectorEnv over single grid worlds, number by number, and its rollouts against its steps."""

import copy
import dataclasses
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit

import envs
from envs.gridworld import GridWorld
from envs.maps import parse
from envs.rollout import Rollout
from envs.vector import GridWorldVectorEnv
from tests.envs.twins import masked, same

MODES = list(AutoresetMode)
N = 7
RANDOM_STARTS = "S.X\n.#.\nS.T"
WORLDS = {
    "book": {},
    "time limit": {"max_episode_steps": 5},
    "slip": {"slip": 0.3},
    "slip, terminal, limit": {"slip": 0.4, "target": "terminal", "max_episode_steps": 9},
    "terminal, random starts": {"layout": RANDOM_STARTS, "target": "terminal"},
    "all of it": {
        "layout": RANDOM_STARTS,
        "target": "terminal",
        "slip": 0.5,
        "slip_model": "uniform",
        "actions": 9,
        "max_episode_steps": 4,
        "start": "uniform",
    },
    "stochastic wind": {"layout": "windy-stochastic", "max_episode_steps": 12},
    "one step episodes": {"slip": 0.2, "max_episode_steps": 1, "start": "uniform"},
    "restart": {"layout": "S.X\n..T", "forbidden": "restart", "slip": 0.2, "max_episode_steps": 20},
    "blocking": {"layout": "dyna-blocking", "change_at": 30, "start": "uniform", "max_episode_steps": 8, "slip": 0.1},
    "shortcut": {"layout": "dyna-shortcut", "change_at": 17, "start": "uniform", "target": "terminal"},
}


def pair(world, mode):
    """The batch and its slow twin, both through Gymnasium."""
    world = {**WORLDS[world]}
    limit = world.pop("max_episode_steps", None)
    fast = gym.make_vec("GridWorld-v0", N, max_episode_steps=limit, autoreset_mode=mode, **world)
    spec = copy.deepcopy(gym.spec("GridWorld-v0"))
    spec.max_episode_steps = limit
    slow = gym.make_vec(spec, N, "sync", vector_kwargs={"autoreset_mode": mode}, **world)
    assert isinstance(fast, GridWorldVectorEnv)
    return fast, slow


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


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301 - our own bytes
def test_copies_go_on_identically(mode, clone):
    fast, _ = pair("blocking", mode)
    fast.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(7):
        fast.step(rng.integers(0, 4, N))
    twin = clone(fast)
    for _ in range(60):
        actions = rng.integers(0, 4, N)
        left = fast.step(actions)
        same(left, twin.step(actions))
        if mode is AutoresetMode.DISABLED and (left[2] | left[3]).any():
            same(fast.reset(options=masked(*left[2:4])), twin.reset(options=masked(*left[2:4])))
    assert np.array_equal(fast._batch.rng, twin._batch.rng)


def test_returned_arrays_stay_as_they_were():
    env = GridWorldVectorEnv(N, slip=0.3)
    first = env.reset(seed=0)[0]
    kept = first.copy()
    second = env.step(np.zeros(N, np.int64))[:4]
    second_kept = copy.deepcopy(second)
    env.step(np.ones(N, np.int64))
    assert np.array_equal(first, kept)
    same(second, second_kept)


def test_without_copies_the_same_arrays_come_back():
    env = GridWorldVectorEnv(N, slip=0.3, copy=False)
    twin = GridWorldVectorEnv(N, slip=0.3)
    env.reset(seed=0)
    twin.reset(seed=0)
    first = env.step(np.zeros(N, np.int64))
    twin.step(np.zeros(N, np.int64))
    second = env.step(np.ones(N, np.int64))
    assert all(a is b for a, b in zip(first[:4], second[:4], strict=True))
    same(second, twin.step(np.ones(N, np.int64)))


def test_unseeded_resets_differ_from_run_to_run():
    first, second = (GridWorldVectorEnv(50, start="uniform") for _ in range(2))
    assert not np.array_equal(first.reset()[0], second.reset()[0])
    assert first.np_random_seed == (-1,) * 50
    first.reset(seed=4)
    assert first.np_random_seed == tuple(range(4, 54))


@pytest.mark.parametrize(
    "actions",
    [[0] * N, np.zeros(N, np.int32), np.zeros(N, np.uint8), np.zeros(2 * N, np.int64)[::2], np.zeros(N, ">i8")],
)
def test_whole_numbers_of_any_kind_are_actions(actions):
    env, twin = GridWorldVectorEnv(N), GridWorldVectorEnv(N)
    env.reset(seed=0)
    twin.reset(seed=0)
    same(env.step(actions), twin.step(np.zeros(N, np.int64)))


def test_a_read_only_action_array_will_do():
    env = GridWorldVectorEnv(N)
    env.reset(seed=0)
    actions = np.zeros(N, np.int64)
    actions.flags.writeable = False
    env.step(actions)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("action", [-1, 5, 2**40, -(2**63)])
def test_an_impossible_action_is_named_and_nothing_moves(mode, action):
    env = GridWorldVectorEnv(N, autoreset_mode=mode, slip=0.5)
    env.reset(seed=0)
    before = copy.deepcopy(env._batch)
    actions = np.zeros(N, np.int64)
    actions[3] = action
    with pytest.raises(ValueError, match=f"the action of sub-environment 3 is {action}; actions are 0 .. 4"):
        env.step(actions)
    assert all(np.array_equal(a, b) for a, b in zip(before[:4], env._batch[:4], strict=True))
    with pytest.raises(ValueError, match=rf"actions\[1\] of sub-environment 3 is {action}"):
        env.rollout(np.array([np.zeros(N, np.int64), actions]))


def test_the_action_of_a_sub_environment_that_resets_means_nothing():
    env, twin = (GridWorldVectorEnv(3, max_episode_steps=2) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    for actions in ([0, 0, 0], [0, 0, 0], [-1, 99, 0]):
        same(env.step(actions), twin.step(np.clip(actions, 0, 4)))
    with pytest.raises(ValueError, match="sub-environment 0 is -1"):
        env.step([-1, 0, 0])


@pytest.mark.parametrize(
    "actions", [np.zeros(N), np.zeros((N, 1), np.int64), np.zeros(N - 1, np.int64), np.zeros(N, bool)]
)
def test_what_is_no_action_is_refused(actions):
    env = GridWorldVectorEnv(N)
    env.reset()
    with pytest.raises(ValueError, match="whole numbers"):
        env.step(actions)
    with pytest.raises(ValueError, match="whole numbers"):
        env.rollout(actions)


def test_what_comes_too_early_or_too_late():
    env = GridWorldVectorEnv(N, autoreset_mode="Disabled", max_episode_steps=1)
    with pytest.raises(ResetNeeded, match="before reset"):
        env.step([0] * N)
    with pytest.raises(ResetNeeded, match="part"):
        env.reset(options={"reset_mask": np.arange(N) == 2})
    env.reset()
    with pytest.raises(ValueError, match="autoreset_mode NextStep or SameStep"):
        env.rollout_random(3)
    env.step([0] * N)
    with pytest.raises(ResetNeeded, match="sub-environment 0 is over"):
        env.step([0] * N)
    with pytest.raises(ResetNeeded, match="before reset"):
        GridWorldVectorEnv(N).rollout_random(3)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"num_envs": 0}, "num_envs is 0"),
        ({"num_envs": 2.0}, "num_envs is 2.0"),
        ({"max_episode_steps": 0}, "max_episode_steps is 0"),
        ({"max_episode_steps": 2**31}, "max_episode_steps is 2147483648"),
        ({"autoreset_mode": "Never"}, "Never"),
        ({"slip": 2.0}, "slip is 2.0"),
        ({"render_mode": "human"}, "human"),
    ],
)
def test_bad_arguments_are_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        GridWorldVectorEnv(**{"num_envs": 2, **arguments})


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"seed": [1, 2]}, "2 seeds were given"),
        ({"seed": -1}, "a seed is -1"),
        ({"seed": [1.5] * N}, "a seed is 1.5"),
        ({"seed": 1.5}, "a seed is 1.5"),
        ({"seed": [None] * (N - 1) + [True]}, "a seed is True"),
        ({"options": {"reset_mask": [True] * N}}, "reset_mask"),
        ({"options": {"reset_mask": np.zeros(N, bool)}}, "False everywhere"),
        ({"options": {"colour": 1}}, "colour"),
    ],
)
def test_bad_resets_are_named(arguments, complaint):
    env = GridWorldVectorEnv(N)
    with pytest.raises(ValueError, match=complaint):
        env.reset(**arguments)


def test_metadata_belongs_to_the_instance():
    before = dict(GridWorld.metadata)
    first = GridWorldVectorEnv(1, autoreset_mode="SameStep")
    second = GridWorldVectorEnv(1)
    assert first.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert second.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert before == GridWorld.metadata


def test_pictures_of_the_first_sub_environments():
    env = gym.make_vec("GridWorld-v0", 20, render_mode="rgb_array")
    env.reset(seed=0)
    frames = env.render()
    assert len(frames) == 16
    assert all(frame.ndim == 3 and frame.dtype == np.uint8 for frame in frames)
    assert gym.make_vec("GridWorld-v0", 2).render() is None
    env.close()
    assert env.closed


def test_gymnasium_wrappers_fit():
    env = gym.make_vec("GridWorld-v0", N, max_episode_steps=10)
    env = gym.wrappers.vector.RecordEpisodeStatistics(env)
    env.reset(seed=0)
    for _ in range(10):
        infos = env.step(env.action_space.sample())[4]
    assert (infos["episode"]["l"] == 10).all()

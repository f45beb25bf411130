"""What a batch of grid worlds keeps, copies, draws and refuses."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from envs.gridworld import GridWorld
from envs.vector import GridWorldVectorEnv
from tests.envs.twins import masked, same
from tests.envs.vector_pair import MODES, N, pair


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

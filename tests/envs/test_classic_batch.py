"""What a classic control batch keeps, copies, draws and refuses."""

import copy
import pickle
import subprocess
import sys
import tracemalloc

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from tests.envs.classic_pair import CONTINUOUS, MODES, NAMES, N, alike, good_actions, pair, random_actions
from tests.envs.twins import same


@pytest.mark.parametrize("name", NAMES)
def test_without_copies_nothing_is_allocated(name):
    env, twin = (gym.make_vec(f"rlkit/{name}", 50_000, copy=copies) for copies in (False, True))
    env.reset(seed=0)
    twin.reset(seed=0)
    rng = np.random.default_rng(0)
    rows = [random_actions(env, rng) for _ in range(50)]
    first = env.step(rows[0])
    twin.step(rows[0])
    tracemalloc.start()
    for actions in rows[1:]:
        last = env.step(actions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000  # less than the flags of one step
    assert all(a is b for a, b in zip(first[:4], last[:4], strict=True))
    for actions in rows[1:]:
        kept = twin.step(actions)
    same(last, kept)


def test_memory_does_not_grow():
    env = gym.make_vec("rlkit/CartPole-v1", 100, autoreset_mode="SameStep")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, (2000, 100))
    for row in actions[:200]:
        env.step(row)
    tracemalloc.start()
    for row in actions:
        env.step(row)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 20_000  # the outputs of the last step


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301 - our own bytes
def test_copies_go_on_identically(name, clone):
    env = gym.make_vec(f"rlkit/{name}", N, autoreset_mode="SameStep")
    env.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(7):
        env.step(random_actions(env, rng))
    twin = clone(env)
    for _ in range(250):
        actions = random_actions(env, rng)
        same(env.step(actions), twin.step(actions))
    assert np.array_equal(env.batch.rng, twin.batch.rng)


def test_returned_arrays_stay_as_they_were():
    env = gym.make_vec("rlkit/CartPole-v1", N)
    env.reset(seed=0)
    first = env.step(np.zeros(N, np.int64))[:4]
    kept = copy.deepcopy(first)
    env.step(np.ones(N, np.int64))
    same(first, kept)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("action", [-1, 2, 2**40])
def test_an_impossible_action_is_named_and_nothing_moves(mode, action):
    env = gym.make_vec("rlkit/CartPole-v1", N, autoreset_mode=mode)
    env.reset(seed=0)
    before = copy.deepcopy(env.batch)
    actions = np.zeros(N, np.int64)
    actions[3] = action
    with pytest.raises(ValueError, match=f"the action of sub-environment 3 is {action}; actions are 0 .. 1"):
        env.step(actions)
    same(env.batch, before)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_continuous_action_must_be_a_number(name):
    env = gym.make_vec(f"rlkit/{name}", 3)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="the action of sub-environment 1 is nan; actions are numbers"):
        env.step(np.array([[0], [np.nan], [0]]))
    for wrong in (np.zeros(3), np.zeros((2, 1)), np.array([["a"]] * 3)):
        with pytest.raises(ValueError, match=r"numbers \[3, 1\] are needed"):
            env.step(wrong)


def test_numbers_of_any_kind_are_actions():
    env, twin = (gym.make_vec("rlkit/Pendulum-v1", 3) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    for actions in ([[1], [0], [-2]], np.array([[1], [0], [-2]], np.int8), np.array([[1.0], [0.0], [-2.0]])):
        same(env.step(actions), twin.step(np.array([[1], [0], [-2]], np.float32)))


def test_the_action_of_a_sub_environment_that_resets_means_nothing():
    env, twin = (gym.make_vec("rlkit/CartPole-v1", 3, max_episode_steps=2) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    for actions in ([0, 0, 0], [0, 0, 0], [-1, 99, 0]):
        same(env.step(actions), twin.step(np.clip(actions, 0, 1)))


def test_what_comes_too_early_or_too_late():
    env = gym.make_vec("rlkit/CartPole-v1", N, autoreset_mode="Disabled", max_episode_steps=1)
    with pytest.raises(ResetNeeded, match="before reset"):
        env.step([0] * N)
    with pytest.raises(ResetNeeded, match="part"):
        env.reset(options={"reset_mask": np.arange(N) == 2})
    env.reset()
    env.step([0] * N)
    with pytest.raises(ResetNeeded, match="sub-environment 0 is over"):
        env.step([0] * N)


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("CartPole-v1", {"low": 1.0}, r"options\['low'\] is 1.0, above options\['high'\], 0.05"),
        ("CartPole-v1", {"high": np.inf}, "finite number"),
        ("CartPole-v1", {"low": "a"}, "finite number"),
        ("CartPole-v1", {"x_init": 1.0}, "a reset knows reset_mask, low, high"),
        ("Pendulum-v1", {"low": 1.0}, "a reset knows reset_mask, x_init, y_init"),
        ("Pendulum-v1", {"y_init": -1.0}, "cannot be negative"),
    ],
)
def test_bad_bounds_are_named(name, options, complaint):
    env = gym.make_vec(f"rlkit/{name}", N)
    with pytest.raises(ValueError, match=complaint):
        env.reset(options=options)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"num_envs": 0}, "num_envs is 0"),
        ({"max_episode_steps": 0}, "max_episode_steps is 0"),
        ({"autoreset_mode": "Never"}, "Never"),
        ({"render_mode": "human"}, "shows one environment; use 'rgb_array'"),
    ],
)
def test_bad_arguments_are_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        gym.make_vec("rlkit/CartPole-v1", **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_those_of_gymnasium(name):
    fast, slow = pair(name, n=2, render_mode="rgb_array")
    alike(fast, fast.reset(seed=0), slow.reset(seed=0))
    for mine, theirs in zip(fast.render(), slow.render(), strict=True):
        assert np.array_equal(mine, theirs)
    fast.close()
    slow.close()
    assert gym.make_vec(f"rlkit/{name}", 20).render() is None


def test_gymnasium_wrappers_fit():
    env = RecordEpisodeStatistics(gym.make_vec("rlkit/CartPole-v1", N, max_episode_steps=10))
    obs = env.reset(seed=0)[0]
    for _ in range(10):
        obs, *_, infos = env.step(good_actions("CartPole-v1", obs))
    assert (infos["episode"]["l"] == 10).all()


def test_ids_stand_beside_those_of_gymnasium_and_importing_envs_is_light():
    code = """
import sys
import envs, gymnasium as gym
assert not {"numba", "envs.classic"} & set(sys.modules)
for name in envs.CLASSIC:
    ours, theirs = gym.spec(f"rlkit/{name}"), gym.spec(name)
    assert (ours.entry_point, ours.max_episode_steps, ours.reward_threshold) == (
        theirs.entry_point, theirs.max_episode_steps, theirs.reward_threshold)
    assert not (theirs.vector_entry_point or "").startswith("envs")
print(gym.make("envs:rlkit/Pendulum-v1").unwrapped, gym.make_vec("envs:rlkit/Pendulum-v1", 2))
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("<PendulumEnv")
    assert "ClassicVectorEnv(rlkit/Pendulum-v1, num_envs=2)" in done.stdout

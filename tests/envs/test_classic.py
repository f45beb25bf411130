"""The classic control batches against SyncVectorEnv over Gymnasium's own environments, bit by bit."""

import copy
import pickle
import subprocess
import sys
import tracemalloc

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from numba import njit

import envs
from envs.classic import kernels
from envs.classic.jit import square
from envs.classic.vector import ClassicVectorEnv
from tests.envs.twins import masked, same

MODES = list(AutoresetMode)
NAMES = [name for name in envs.CLASSIC if name != "CartPole-v0"]  # of which Gymnasium warns
CONTINUOUS = ("MountainCarContinuous-v0", "Pendulum-v1")
N = 7


def pair(name, mode=AutoresetMode.NEXT_STEP, n=N, **arguments):
    """The batch and its slow twin, both through Gymnasium."""
    fast = gym.make_vec(f"rlkit/{name}", n, autoreset_mode=mode, **arguments)
    slow = gym.make_vec(name, n, "sync", vector_kwargs={"autoreset_mode": mode}, **arguments)
    assert isinstance(fast, ClassicVectorEnv)
    return fast, slow


def random_actions(env, rng):
    space = env.single_action_space
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(0, space.n, env.num_envs)
    actions = rng.uniform(1.5 * space.low, 1.5 * space.high, (env.num_envs, 1)).astype(np.float32)
    actions[rng.random(env.num_envs) < 0.2] = rng.choice([space.low, space.high])
    return actions


def good_actions(name, obs):
    """Actions that keep the pole up and bring the cars and the acrobot to their goals."""
    if name.startswith("CartPole"):
        return (obs[:, 2] + 0.3 * obs[:, 3] + 0.05 * obs[:, 1] + 0.01 * obs[:, 0] > 0).astype(np.int64)
    if name == "MountainCar-v0":
        return 2 * (obs[:, 1] >= 0)
    if name == "Acrobot-v1":
        return 2 * (obs[:, 4] < 0)
    return np.where(obs[:, -1:] >= 0, 1, -1).astype(np.float32)


def alike(fast, left, right):
    """The same, but for Acrobot's first observations, of which Gymnasium takes cosine and sine in float32."""
    if fast.spec.name == "Acrobot":
        first = fast.batch.elapsed == 0
        np.testing.assert_array_max_ulp(left[0][first], right[0][first], 1)
        right[0][first] = left[0][first]
    same(left, right)


def both(fast, slow, actions):
    left, right = fast.step(actions), slow.step(actions)
    alike(fast, left, right)
    if fast.metadata["autoreset_mode"] is AutoresetMode.DISABLED and (left[2] | left[3]).any():
        alike(fast, fast.reset(options=masked(*left[2:4])), slow.reset(options=masked(*right[2:4])))
    return left


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_every_step_equals_sync_vector_env(name, mode):
    fast, slow = pair(name, mode)
    assert fast.observation_space == slow.observation_space
    assert fast.action_space == slow.action_space
    assert fast.single_observation_space == slow.single_observation_space
    assert fast.metadata["autoreset_mode"] is mode
    alike(fast, fast.reset(seed=11), slow.reset(seed=11))
    rng = np.random.default_rng(0)
    ended = 0
    for t in range(1200):
        if t == 1010:
            alike(fast, fast.reset(), slow.reset())  # generators go on
        if t == 1100:
            seeds = [None, 5, None, 5, 9, 2**70, 0]
            alike(fast, fast.reset(seed=seeds), slow.reset(seed=seeds))
        left = both(fast, slow, random_actions(fast, rng))
        ended += np.sum(left[2] | left[3])
    assert ended
    for mine, theirs in zip(fast.np_random, slow.np_random, strict=True):
        assert mine.bit_generator.state == theirs.bit_generator.state
    assert fast.np_random_seed == slow.np_random_seed
    fast.close()
    slow.close()


def test_the_first_observations_of_acrobot_are_within_one_ulp_of_gymnasiums_and_its_states_equal():
    fast, slow = pair("Acrobot-v1", n=500)
    for options in (None, {"low": -3.0, "high": 3.0}):
        left, right = (env.reset(seed=0, options=options)[0] for env in (fast, slow))
        np.testing.assert_array_max_ulp(left, right, 1)
        assert np.array_equal(fast.batch.state, [env.unwrapped.state for env in slow.envs])
        actions = np.random.default_rng(0).integers(0, 3, 500)
        same(fast.step(actions), slow.step(actions))


@pytest.mark.parametrize("name", NAMES)
def test_skilled_episodes_end_alike(name):
    fast, slow = pair(name, AutoresetMode.SAME_STEP)
    obs = fast.reset(seed=3)[0]
    slow.reset(seed=3)
    terminated = truncated = 0
    rng = np.random.default_rng(0)
    for t in range(1600):
        actions = random_actions(fast, rng) if t % 40 == 0 else good_actions(name, obs)
        obs, _, ends, cuts, _ = both(fast, slow, actions)
        terminated += ends.sum()
        truncated += cuts.sum()
    assert terminated > 5 or name in {"CartPole-v1", "Pendulum-v1"}
    assert truncated > 5 or name not in {"CartPole-v1", "Pendulum-v1"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("CartPole-v1", {"sutton_barto_reward": True}),
        ("MountainCar-v0", {"goal_velocity": 0.03}),
        ("MountainCarContinuous-v0", {"goal_velocity": 0.03}),
        ("Pendulum-v1", {"g": 9.81}),
    ],
)
def test_the_arguments_of_gymnasium(name, arguments):
    fast, slow = pair(name, **arguments)
    obs = fast.reset(seed=0)[0]
    slow.reset(seed=0)
    for _ in range(400):
        obs = both(fast, slow, good_actions(name, obs))[0]


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("mode", MODES)
def test_short_time_limits(limit, mode):
    fast = gym.make_vec("rlkit/CartPole-v1", N, max_episode_steps=limit, autoreset_mode=mode)
    spec = copy.deepcopy(gym.spec("CartPole-v1"))
    spec.max_episode_steps = limit
    slow = gym.make_vec(spec, N, "sync", vector_kwargs={"autoreset_mode": mode})
    same(fast.reset(seed=0), slow.reset(seed=0))
    rng = np.random.default_rng(0)
    for _ in range(20):
        both(fast, slow, random_actions(fast, rng))


def test_version_0_of_cartpole_is_cut_at_200():
    with pytest.warns(DeprecationWarning, match="out of date"):
        env = gym.make_vec("rlkit/CartPole-v0", N)
    obs = env.reset(seed=0)[0]
    for t in range(200):
        obs, _, terminated, truncated, _ = env.step(good_actions("CartPole-v0", obs))
        assert not terminated.any()
        assert truncated.all() == (t == 199)


@pytest.mark.parametrize("name", NAMES)
def test_bounds_of_the_first_state(name):
    fast, slow = pair(name)
    options = {"x_init": 0.5, "y_init": 3} if name == "Pendulum-v1" else {"low": -0.15, "high": 0.02}
    default = fast.reset(seed=1)[0]
    alike(fast, fast.reset(seed=1, options=options), slow.reset(seed=1, options=options))
    rng = np.random.default_rng(0)
    for _ in range(30):
        both(fast, slow, random_actions(fast, rng))
    assert np.array_equal(fast.reset(seed=1)[0], default)  # they hold for one reset


@pytest.mark.parametrize("mode", MODES)
def test_partial_resets(mode):
    fast, slow = pair("CartPole-v1", mode)
    same(fast.reset(seed=3), slow.reset(seed=3))
    rng = np.random.default_rng(1)
    for _ in range(100):
        actions = random_actions(fast, rng)
        left = fast.step(actions)
        same(left, slow.step(actions))
        mask = (rng.random(N) < 0.3) | (left[2] | left[3] if mode is AutoresetMode.DISABLED else False)
        if mask.any():
            seed = int(rng.integers(100)) if rng.random() < 0.5 else None
            same(*(env.reset(seed=seed, options={"reset_mask": mask}) for env in (fast, slow)))


def anywhere(name, rng):
    """A state, with corners and both sides of every bound more often than chance would have them."""
    spread = {
        "CartPole-v1": ([2.5, 4, 0.25, 5], None),
        "Acrobot-v1": ([np.pi, np.pi, 4 * np.pi, 9 * np.pi], None),
        "MountainCar-v0": ([0.9, 0.07], [-0.3, 0]),
        "MountainCarContinuous-v0": ([0.9, 0.07], [-0.3, 0]),
        "Pendulum-v1": ([20, 8], None),
    }
    width, centre = spread[name]
    state = rng.uniform(-1, 1, len(width))
    corner = rng.random(len(width)) < 0.1
    state[corner] = np.sign(state[corner])
    return state * width + (0 if centre is None else centre)


@pytest.mark.parametrize("name", NAMES)
def test_one_step_from_anywhere(name):
    single = gym.make(name).unwrapped
    single.reset(seed=0)
    env = gym.make_vec(f"rlkit/{name}", 1)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for k in range(4000):
        state = anywhere(name, rng)
        fresh = k % 2 == 0 or name != "MountainCarContinuous-v0"
        single.state = state if fresh else state.astype(np.float32)
        if name == "CartPole-v1":
            single.steps_beyond_terminated = None
        env.batch.state[0, : len(state)] = single.state
        if name == "MountainCarContinuous-v0":
            env.batch.state[0, 2] = fresh
        action = random_actions(env, rng)[0]
        force = action if action.ndim == 0 else action[0]
        reward, terminated = kernels.step_state(env.world, env.batch.state, 0, force)
        obs = np.empty((1, *single.observation_space.shape), np.float32)
        kernels.observe(env.world, env.batch.state, 0, obs)
        right = single.step(action)
        assert obs[0].tobytes() == right[0].tobytes()
        assert np.float64(reward).tobytes() == np.float64(right[1]).tobytes()
        assert terminated == right[2]


def test_a_square_is_a_power_and_not_a_product():
    x = np.random.default_rng(0).uniform(-30, 30, 100_000)
    powers = np.array([square(value) for value in x])
    assert np.array_equal(powers, [value**2 for value in x])
    assert np.array_equal(powers, [float(value) ** 2 for value in x])
    short = x[:10_000].astype(np.float32)
    assert [square(value) for value in short] == [value**2 for value in short]


@njit
def compiled_rollout(world, batch, limit, actions, obs, next_obs, reward, ends):
    """What a compiled learner does with the kernels."""
    for t in range(len(actions)):
        for i in range(actions.shape[1]):
            kernels.observe(world, batch.state, i, obs[t])
            reward[t, i], terminated, truncated = kernels.step_one(world, batch, limit, i, actions[t, i])
            kernels.observe(world, batch.state, i, next_obs[t])
            ends[t, i] = terminated + 2 * truncated
            if batch.over[i]:
                kernels.reset_one(world, batch, i)


@pytest.mark.parametrize("name", NAMES)
def test_the_kernels_serve_other_compiled_code(name):
    env, twin = (gym.make_vec(f"rlkit/{name}", N, autoreset_mode="SameStep") for _ in range(2))
    obs = env.reset(seed=0)[0]
    twin.reset(seed=0)
    rng = np.random.default_rng(0)
    steps = 300
    actions = np.array([random_actions(env, rng) for _ in range(steps)])
    seen, after = np.empty((2, steps, *obs.shape), np.float32)
    reward, ends = np.empty((steps, N)), np.empty((steps, N), np.int64)
    compiled_rollout(env.world, env.batch, env.max_episode_steps, actions.reshape(steps, N), seen, after, reward, ends)
    for t in range(steps):
        assert np.array_equal(seen[t], obs)
        obs, rewards, terminated, truncated, infos = twin.step(actions[t])
        successors = obs.copy()
        for i in np.flatnonzero(infos.get("_final_obs", [])):
            successors[i] = infos["final_obs"][i]
        assert np.array_equal(after[t], successors)
        assert np.array_equal(reward[t], rewards)
        assert np.array_equal(ends[t], terminated + 2 * truncated)
    assert np.array_equal(env.batch.rng, twin.batch.rng)


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

"""The classic control batches against SyncVectorEnv over Gymnasium's own environments, bit by bit."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from numba import njit

from envs.classic import kernels
from envs.classic.jit import square
from tests.envs.classic_pair import MODES, NAMES, N, alike, both, good_actions, pair, random_actions
from tests.envs.twins import same


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

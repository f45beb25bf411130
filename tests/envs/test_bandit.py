"""The K-armed testbed: its distributions, its drift, its streams, and what it refuses."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs  # noqa: F401 - registers the id
from envs.bandit import Bandit


def test_it_is_a_sound_gymnasium_environment():
    check_env(gym.make("Bandit-v0").unwrapped)
    check_env(gym.make("Bandit-v0", arms=3, drift=0.1).unwrapped)


def test_values_are_drawn_at_each_reset_from_the_seed():
    env = Bandit()
    _, info = env.reset(seed=3)
    expected = np.random.Generator(np.random.PCG64(3)).standard_normal(10)
    assert np.array_equal(env.true_values, expected)
    assert info["true_values"] is env.true_values
    env.reset()
    assert not np.array_equal(env.true_values, expected)
    env.reset(seed=3)
    assert np.array_equal(env.true_values, expected)
    assert env.best == expected.argmax()


def test_values_have_the_mean_and_spread_asked_for():
    env = Bandit(1000, mean=4.0, spread=2.0)
    env.reset(seed=0)
    assert abs(env.true_values.mean() - 4.0) < 4 * 2.0 / np.sqrt(1000)
    assert abs(env.true_values.std() - 2.0) < 4 * 2.0 / np.sqrt(2000)


def test_rewards_are_noise_about_the_value_and_it_never_ends():
    env = Bandit(4, noise=0.5)
    env.reset(seed=1)
    values = env.true_values
    for a in range(4):
        steps = [env.step(a) for _ in range(2000)]
        rewards = np.array([r for _, r, *_ in steps])
        assert abs(rewards.mean() - values[a]) < 4 * 0.5 / np.sqrt(2000)
        assert abs(rewards.std() - 0.5) < 4 * 0.5 / np.sqrt(4000)
        assert all((s, terminated, truncated) == (0, False, False) for s, _, terminated, truncated, _ in steps)
    assert env.true_values is values


def test_values_drift_as_independent_walks_after_the_reward():
    env = Bandit(500, spread=0.0, drift=0.01, noise=0.0)
    env.reset(seed=2)
    assert not env.true_values.any()
    for _ in range(400):
        before = env.true_values
        _, reward, _, _, info = env.step(7)
        assert reward == before[7]
        assert info["true_values"] is before
    assert abs(env.true_values.std() - 0.2) < 4 * 0.2 / np.sqrt(1000)  # 0.01 sqrt(400)
    assert abs(env.true_values.mean()) < 4 * 0.2 / np.sqrt(500)


def test_what_info_shows_cannot_be_turned():
    _, info = Bandit().reset(seed=0)
    with pytest.raises(ValueError, match="read-only"):
        info["true_values"][0] = 9.0


def test_bad_arguments_are_refused():
    for kwargs in ({"arms": 0}, {"arms": 2.5}, {"mean": np.nan}, {"spread": -1.0}, {"noise": np.inf}, {"drift": -0.1}):
        (name,) = kwargs
        with pytest.raises(ValueError, match=f"{name} is"):
            Bandit(**kwargs)

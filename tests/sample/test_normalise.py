"""Running moments are those of everything seen at once, and rewards are scaled by the deviation of discounted returns."""

import numpy as np
import pytest

from rlkit.sample.normalise import Moments, RewardScale


def test_moments_of_batches_are_those_of_all():
    rng = np.random.default_rng(0)
    numbers = rng.normal(1e6, 1e-2, (1000, 3))  # where a sum of squares would lose everything
    moments = Moments((3,))
    assert moments.std.tolist() == [1.0, 1.0, 1.0]
    for part in np.split(numbers, [1, 7, 400]):
        moments.update(part)
    np.testing.assert_allclose(moments.mean, numbers.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.std**2 - 1e-8, numbers.var(axis=0), rtol=1e-4)


def test_rewards_are_divided_by_the_deviation_of_returns():
    rng = np.random.default_rng(1)
    rewards, ends = rng.normal(size=(2, 50)), rng.random((2, 50)) < 0.1
    scale = RewardScale(2, 0.9)
    scaled = np.concatenate([scale(rewards[:, :20], ends[:, :20]), scale(rewards[:, 20:], ends[:, 20:])], 1)
    returns, running = [], np.zeros(2)
    for t in range(50):
        running = 0.9 * running + rewards[:, t]
        returns.append(running.copy())
        running[ends[:, t]] = 0.0
    deviation = np.sqrt(np.var(returns) + 1e-8)
    np.testing.assert_allclose(scaled[:, 20:], rewards[:, 20:] / deviation, rtol=1e-12)
    assert not np.allclose(scaled[:, :20], rewards[:, :20] / deviation)


def test_outliers_are_cut():
    scale = RewardScale(1, 0.0)
    assert scale(np.array([[1000.0] + [0.0] * 999]), np.zeros((1, 1000), bool))[0, 0] == 10.0


def test_a_state_comes_back_and_another_is_refused():
    scale, twin = RewardScale(2, 0.9), RewardScale(2, 0.9)
    numbers, ends = np.random.default_rng(2).normal(size=(2, 2, 5)), np.zeros((2, 5), bool)
    scale(numbers[0], ends)
    twin.load_state_dict(scale.state_dict())
    np.testing.assert_array_equal(scale(numbers[1], ends), twin(numbers[1], ends))
    with pytest.raises(ValueError, match=r"moments of shape \(\); here they are \(3,\)"):
        Moments((3,)).load_state_dict(scale.moments.state_dict())

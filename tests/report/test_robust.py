"""Interquartile means and their intervals, held against scipy, numbers by hand, and the truth that they should cover."""

import numpy as np
import pytest
from scipy import stats

from rlkit.report.robust import band, interquartile_mean


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 20, 101])
def test_the_mean_of_the_middle_half_is_scipys(n):
    x = np.random.default_rng(n).normal(size=(3, n))
    np.testing.assert_allclose(interquartile_mean(x), stats.trim_mean(x, 0.25, axis=1))


def test_by_hand():
    assert interquartile_mean(np.array([9.0, 1, 2, 3, 4, 5, 6, 1000])) == (3 + 4 + 5 + 6) / 4
    assert interquartile_mean(np.array([-np.inf, 1, 2, 3])) == 1.5


def test_the_interval_is_scipys():
    x = np.random.default_rng(3).exponential(size=(1, 20))
    found = band(x, draws=20_000)
    wanted = stats.bootstrap(
        (x[0],),
        lambda sample, axis: interquartile_mean(np.moveaxis(sample, axis, -1)),
        n_resamples=20_000,
        method="percentile",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    np.testing.assert_allclose((found.low[0], found.high[0]), wanted, atol=0.02)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    x = np.random.default_rng(1).normal(size=(400, 20))  # its true interquartile mean is 0
    found = band(x, draws=1000)
    assert 0.88 <= np.mean((found.low <= 0) & (found.high >= 0)) <= 0.98
    assert np.all((found.low <= found.middle) & (found.middle <= found.high))


def test_one_run_has_no_width_and_infinities_are_allowed():
    found = band(np.array([[2.0], [3.0]]))
    assert [line.tolist() for line in found] == [[2.0, 3.0]] * 3
    found = band(np.array([[-np.inf] * 4 + [1.0] * 16]))
    assert (found.middle[0], found.high[0]) == (1.0, 1.0)
    assert not np.isnan(found.low[0])


def test_the_same_data_give_the_same_band():
    x = np.random.default_rng(0).normal(size=(5, 10))
    for one, other in zip(band(x), band(x), strict=True):
        np.testing.assert_array_equal(one, other)

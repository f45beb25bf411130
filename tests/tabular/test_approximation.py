"""Stochastic approximation against closed forms: means, roots, minima, averages, guards."""

import numpy as np
import pytest

from rlkit.tabular.approximation import (
    gradient_descent,
    incremental_mean,
    kiefer_wolfowitz,
    polyak_ruppert,
    robbins_monro,
    toward,
)
from rlkit.tabular.guards import Ball, Interval, clipped

CUBE_ROOT = 5 ** (1 / 3)


def cubic(w):
    return w**3 - 5


def normal(w, rng):
    return rng.standard_normal(np.shape(w))[()]


def rng(seed=0):
    return np.random.default_rng(seed)


# Means


def test_the_incremental_mean_of_section_6_1_by_hand():
    path = incremental_mean([4.0, 2.0, 9.0], w0=100.0)
    np.testing.assert_allclose(path, [100, 4, 3, 5])  # w_2 = x_1, w_3 = (x_1 + x_2) / 2, ...: the start does not count


@pytest.mark.parametrize("shape", [(1000,), (1000, 3), (1,), (0,)])
def test_the_incremental_mean_is_the_mean_of_the_samples_so_far(shape):
    x = rng().normal(3, 10, size=shape)
    path = incremental_mean(x)
    assert path.shape == (shape[0] + 1, *shape[1:])
    for k in range(1, shape[0] + 1):
        np.testing.assert_allclose(path[k], x[:k].mean(axis=0), rtol=1e-11, atol=1e-11)


def test_other_weights_give_other_means():
    x = rng().normal(size=50)
    constant = incremental_mean(x, 0.1)
    weights = 0.1 * 0.9 ** np.arange(49, -1, -1)
    assert constant[-1] == pytest.approx(weights @ x)
    later = incremental_mean(x, "1/(k+1)", w0=7.0)
    assert later[-1] == pytest.approx((7 + x.sum()) / 51)  # the start counts as one sample
    heavier = incremental_mean(x, "2/(k+1)")  # weights that grow as k
    assert heavier[-1] == pytest.approx(np.arange(1, 51) @ x / np.arange(1, 51).sum())


def test_the_mean_is_a_robbins_monro_search_and_a_gradient_descent_to_the_last_bit():
    """Zhao 6.2.2 and 6.4.1: g̃(w, x) = w - x."""
    x = rng().normal(size=300)
    for alpha in ("1/k", "0.1", "1/k^0.7"):
        mean = incremental_mean(x, alpha, w0=3.0)
        samples = iter(x)
        np.testing.assert_array_equal(mean, robbins_monro(lambda w: w - next(samples), 3.0, alpha, 300))  # noqa: B023
        order = rng(1).integers(300, size=300)
        drawn = gradient_descent(lambda w, x: w - x, 3.0, alpha, 300, x, rng=Drawn(order))
        np.testing.assert_array_equal(drawn, incremental_mean(x[order], alpha, w0=3.0))
    assert toward(3.0, 1.0, 0.5) == 2.0


class Drawn:
    """A generator whose integers are known beforehand."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def integers(self, _, size):
        return np.array([next(self.numbers) for _ in range(size)])


# Roots


def test_w_cubed_minus_5_is_thrown_out_by_1_over_k_and_found_by_1_over_k_plus_1():
    thrown = robbins_monro(cubic, 0.0, "1/k", 20)
    np.testing.assert_array_equal(thrown[:4], [0, 5, -55, 55405])
    assert np.isnan(thrown[-1])
    assert not np.isfinite(thrown[7:]).any()
    found = robbins_monro(cubic, 0.0, "1/(k+1)", 2000)
    np.testing.assert_allclose(found[:3], [0, 2.5, 2.5 - (2.5**3 - 5) / 3])
    assert found[-1] == pytest.approx(1.70998, abs=5e-6)


def test_tanh_of_figure_6_4_comes_nearer_with_every_step():
    path = robbins_monro(lambda w: np.tanh(w - 1), 3.0, "1/k", 100_000)
    assert path[1] == 3 - np.tanh(2)
    assert (np.diff(path) < 0).all()
    assert 1 < path[-1] < 1 + 1e-4


def test_a_linear_search_in_closed_form():
    """Without noise w_k - w* shrinks by (1 - a_k s): a product."""
    s = 0.3
    path = robbins_monro(lambda w: s * (w - 2), 10.0, "1/(k+1)", 50)
    product = np.cumprod(1 - s / np.arange(2, 52))
    np.testing.assert_allclose(path[1:] - 2, 8 * product)


def test_many_dimensions():
    a = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
    b = np.array([1.0, -2.0, 3.0])
    path = robbins_monro(lambda w: a @ w - b, np.zeros(3), "1/(k+2)", 20_000, noise=normal, rng=rng())
    assert path.shape == (20_001, 3)
    np.testing.assert_allclose(path[-1], np.linalg.solve(a, b), atol=0.05)
    quiet = robbins_monro(lambda w: a @ w - b, np.zeros(3), "0.3", 200)
    np.testing.assert_allclose(quiet[-1], np.linalg.solve(a, b), atol=1e-9)


def test_each_coordinate_of_a_separable_search_is_a_search_of_its_own():
    together = robbins_monro(lambda w: w * w * w - 5, np.array([0.0, 1.0, 3.0]), "1/(k+9)", 100)
    for i, w0 in enumerate([0.0, 1.0, 3.0]):
        np.testing.assert_array_equal(together[:, i], robbins_monro(lambda w: w * w * w - 5, w0, "1/(k+9)", 100))


def test_a_compiled_g_gives_the_same_path():
    from numba import njit

    plain = lambda w: w * w * w - 5  # noqa: E731
    for g in (plain, njit(plain)):
        path = robbins_monro(g, 0.0, "1/(k+40)", 500, noise=normal, rng=rng(3))
        assert abs(path[-1] - CUBE_ROOT) < 0.2
    np.testing.assert_array_equal(
        robbins_monro(plain, 0.0, "1/(k+40)", 500, noise=normal, rng=rng(3)),
        robbins_monro(njit(plain), 0.0, "1/(k+40)", 500, noise=normal, rng=rng(3)),
    )


# Minima by values alone


def test_kiefer_wolfowitz_on_a_quadratic_is_gradient_descent():
    """The central difference of a quadratic is its derivative, whatever the width."""
    a = np.array([[2.0, 0.5], [0.5, 1.0]])
    quadratic = lambda w: 0.5 * w @ a @ w - w.sum()  # noqa: E731
    path = kiefer_wolfowitz(quadratic, [4.0, -3.0], "1/(k+2)", "1/k^0.25", 300)
    np.testing.assert_allclose(path, robbins_monro(lambda w: a @ w - 1, [4.0, -3.0], "1/(k+2)", 300), rtol=1e-9)
    assert kiefer_wolfowitz(lambda w: (w - 3) ** 2, 0.0, "0.5/k", "1", 5)[1:] == pytest.approx([3.0] * 5)


def test_kiefer_wolfowitz_with_noise_finds_the_minimum():
    ends = [
        kiefer_wolfowitz(
            lambda w: np.log(np.cosh(w - 2)), 0.0, "2/k", "1/k^0.25", 3000, noise=normal, rng=rng(seed), clip=1.0
        )[-1]
        for seed in range(20)
    ]
    assert np.mean(ends) == pytest.approx(2.0, abs=4 * np.std(ends) / np.sqrt(20))
    assert np.std(ends) < 0.5


def test_the_first_step_of_kiefer_wolfowitz_by_hand():
    path = kiefer_wolfowitz(lambda w: w**3, 1.0, "0.1", "0.5", 1)
    assert path[1] == pytest.approx(1 - 0.1 * (1.5**3 - 0.5**3) / 1.0)


# Gradient descent over samples


def test_batch_gradient_descent_with_1_over_k_is_at_the_mean_after_one_step():
    x = rng().uniform(-10, 10, size=(100, 2))
    path = gradient_descent(lambda w, x: w - x, [50.0, 50.0], "1/k", 10, x, batch=None)
    np.testing.assert_allclose(path[1:], np.tile(x.mean(axis=0), (10, 1)))  # Zhao 6.4.4


@pytest.mark.parametrize("batch", [1, 5, 100])
def test_mini_batches_average_the_means_of_what_was_drawn(batch):
    """Zhao 6.4.4: with α_k = 1/k, w_{k+1} is the mean of the batch means so far."""
    x = rng().uniform(-10, 10, size=(100, 2))
    path = gradient_descent(lambda w, x: w - x, [50.0, 50.0], "1/k", 30, x, batch=batch, rng=rng(5))
    stream = rng(5)
    means = np.array([x[stream.integers(100, size=batch)].mean(axis=0) for _ in range(30)])
    np.testing.assert_allclose(path[1:], np.cumsum(means, axis=0) / np.arange(1, 31)[:, None])


def test_the_error_of_a_mini_batch_is_the_variance_over_k_m():
    x = rng().uniform(-10, 10, size=100)
    k, runs = 20, 2000
    for batch in (1, 4, 100):
        stream = rng(7)
        ends = [
            gradient_descent(lambda w, x: w - x, 0.0, "1/k", k, x, batch=batch, rng=stream)[-1] for _ in range(runs)
        ]
        ratio = np.mean((np.array(ends) - x.mean()) ** 2) / (x.var() / (k * batch))
        assert abs(ratio - 1) < 4 * np.sqrt(
            2 / runs
        )  # drawing n with replacement is not the whole set: n = 100 errs too


def test_least_squares_by_stochastic_gradients():
    stream = rng(2)
    features = np.column_stack([np.ones(400), stream.normal(size=400)])
    y = features @ [1.0, -2.0] + 0.1 * stream.normal(size=400)
    data = np.column_stack([features, y])

    def gradient(w, rows):
        return (rows[:, :2] @ w - rows[:, 2])[:, None] * rows[:, :2]

    best = np.linalg.lstsq(features, y, rcond=None)[0]
    full = gradient_descent(gradient, [0.0, 0.0], 0.5, 100, data, batch=None)
    np.testing.assert_allclose(full[-1], best, atol=1e-9)
    noisy = gradient_descent(gradient, [0.0, 0.0], "1/(k+3)", 20_000, data, rng=rng(1))
    np.testing.assert_allclose(noisy[-1], best, atol=0.01)


# Averages


def test_polyak_ruppert_by_hand():
    np.testing.assert_allclose(polyak_ruppert(np.array([9.0, 1, 3, 8])), [9, 1, 2, 4])
    np.testing.assert_allclose(polyak_ruppert(np.array([9.0, 1, 3, 8]), 1), [9, 1, 3, 5.5])
    np.testing.assert_allclose(polyak_ruppert(np.array([[0.0, 0], [2, 4], [4, 8]]))[-1], [3, 6])
    assert polyak_ruppert(np.array([5.0])) == [5]


def test_the_average_of_slow_steps_beats_the_steps():
    path = robbins_monro(lambda w: w - 2, np.full(2000, 2.0), "1/k^0.7", 2000, noise=normal, rng=rng())  # 2000 searches
    last, average = path[-1].var(), polyak_ruppert(path)[-1].var()
    assert average < last / 3
    assert 2000 * average == pytest.approx(1.0, rel=4 * np.sqrt(2 / 2000) + 0.05)  # σ²/g'²


# Guards


def test_projections():
    assert Interval(-1, 2)(5.0) == 2
    assert Interval(-1, 2)(0.5) == 0.5
    np.testing.assert_array_equal(Interval([-1, 0], [1, 3])(np.array([-4.0, 2.0])), [-1, 2])
    np.testing.assert_allclose(Ball(5.0)(np.array([6.0, 8.0])), [3, 4])
    np.testing.assert_allclose(Ball(1.0, [1.0, 1.0])(np.array([1.0, 4.0])), [1, 2])
    np.testing.assert_array_equal(Ball(5.0)(np.array([3.0, 4.0])), [3, 4])
    assert Ball(2.0, 1.0)(-7.0) == -1


def test_clipping_keeps_the_direction():
    np.testing.assert_allclose(clipped(np.array([6.0, -8.0]), 5.0), [3, -4])
    assert clipped(-7.0, 2.0) == -2
    assert clipped(1.0, 2.0) == 1


@pytest.mark.parametrize("guard", [{"project": Interval(-3, 3)}, {"clip": 1.0}, {"project": Ball(2.5)}])
def test_each_guard_saves_w_cubed_minus_5_from_1_over_k(guard):
    paths = [robbins_monro(cubic, 0.0, "1/k", 5000, noise=normal, rng=rng(seed), **guard) for seed in range(20)]
    ends = np.array([path[-1] for path in paths])
    assert np.abs(ends - CUBE_ROOT).max() < 0.05
    if "project" in guard:
        assert np.abs(paths).max() <= 3
    else:
        assert np.abs(np.diff(paths)).max() <= 1 + 1e-12


def test_a_projection_of_the_users_own():
    path = robbins_monro(lambda w: w + 1, np.array([1.0, 1.0]), 0.1, 100, project=lambda w: np.maximum(w, 0.0))
    np.testing.assert_array_equal(path[-1], [0, 0])


# The door


def test_what_makes_no_sense_is_refused():
    linear = lambda w: w  # noqa: E731
    for call, match in [
        (lambda: robbins_monro(linear, np.nan, "1/k", 5), "w0 is nan"),
        (lambda: robbins_monro(linear, 0.0, "1/k", -1), "steps is -1"),
        (lambda: robbins_monro(linear, 0.0, "1/k", 5, clip=0.0), "clip 0"),
        (lambda: robbins_monro(linear, 0.0, "quick", 5), "alpha is 'quick'"),
        (lambda: robbins_monro(linear, 0.0, "1/k", 5, noise=normal), "rng is None; pass"),
        (lambda: robbins_monro(lambda w: [w, w], 0.0, "1/k", 5), r"shape \[2\] is observed; w has \[\]"),
        (lambda: robbins_monro(lambda w: w.sum(), [0.0, 1.0], "1/k", 5), r"shape \[\] is observed; w has \[2\]"),
        (lambda: kiefer_wolfowitz(linear, 0.0, "1/k", "linear(1, 0, 5)", 9), "width is"),
        (lambda: gradient_descent(lambda w, x: w - x, 0.0, "1/k", 5, [1.0], batch=0, rng=rng()), "batch is 0"),
        (lambda: gradient_descent(lambda w, x: w - x, 0.0, "1/k", 5, [1.0]), "rng is None"),
        (lambda: incremental_mean([1.0, np.inf]), "must be"),
        (lambda: incremental_mean(3.0), r"shape \[\]"),
        (lambda: polyak_ruppert(np.zeros(4), 4), "burn_in is 4"),
        (lambda: Interval(2, 1), "from 2 to 1"),
        (lambda: Ball(0.0), "radius 0"),
    ]:
        with pytest.raises(ValueError, match=match):
            call()

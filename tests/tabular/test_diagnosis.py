"""The diagnosis: conditions that hold and that fail, variances measured over many compiled runs, remedies that work."""

import numpy as np
import pytest

from rlkit.tabular.approximation import robbins_monro
from rlkit.tabular.diagnosis import diagnose
from rlkit.tabular.guards import Interval
from rlkit.tabular.searches import many_runs
from rlkit.tabular.variance import asymptotic_variance, averaged_variance, widths


def cubic(w):
    return w * w * w - 5.0


def normal(_, rng):
    return rng.standard_normal()


def doubled(_, rng):
    return 2.0 * rng.standard_normal()


def rng(seed=0):
    return np.random.default_rng(seed)


# Many runs


def test_many_runs_are_single_runs_to_the_last_bit():
    for options in ({}, {"project": Interval(-3.0, 3.0)}, {"clip": 0.5}):
        runs = many_runs(cubic, 0.0, "1/(k+40)", 200, 5, rng(7), noise=normal, **options)
        stream = rng(7)
        for last, average in zip(runs.last, runs.average, strict=True):
            path = robbins_monro(cubic, 0.0, "1/(k+40)", 200, noise=normal, rng=stream, **options)
            assert last == path[-1]
            assert average == pytest.approx(path[1:].mean(), rel=1e-12)


def test_29_percent_of_noisy_searches_for_the_cube_root_blow_up():
    """From w = 0 with 1/(k+1) and N(0, 1) noise; the rest find it."""
    runs = many_runs(cubic, 0.0, "1/(k+1)", 1000, 40_000, rng(), noise=normal)
    low, high = runs.share_diverged(0.999)
    assert low < 0.294 < high
    assert high - low < 0.02
    assert np.abs(runs.last[~runs.diverged] - 5 ** (1 / 3)).max() < 0.05
    with_1_over_k = many_runs(cubic, 0.0, "1/k", 1000, 40_000, rng(), noise=normal)
    assert with_1_over_k.share_diverged()[0] > 0.99
    guarded = many_runs(cubic, 0.0, "1/k", 1000, 40_000, rng(), noise=normal, project=Interval(-3.0, 3.0))
    assert not guarded.diverged.any()


@pytest.mark.parametrize("name", ["steps", "runs"])
def test_runs_must_be_some(name):
    with pytest.raises(ValueError, match=f"{name} is 0|{name} 0"):
        many_runs(cubic, 0.0, "1/k", **{"steps": 5, "runs": 5, name: 0}, rng=rng(), noise=normal)


# Variances

STEPS, RUNS = 5000, 5000
LINEAR = [  # slope, alpha: both variances within 99.9 % intervals over runs
    (1.0, "1/k"),
    (1.0, "2/k"),
    (1.0, "0.75/k"),
    (0.5, "3/(k+10)"),
    (2.0, "1/k^0.7"),
    (1.0, "2/(k+5)^0.6"),
    (1.0, "0.1"),
    (2.0, "0.5"),
]


SLOPES = {0.25: lambda w: 0.25 * w, 0.5: lambda w: 0.5 * w, 1.0: lambda w: w, 2.0: lambda w: 2.0 * w}


def search(slope, alpha, steps=STEPS, runs=RUNS):
    return many_runs(SLOPES[slope], 0.0, alpha, steps, runs, rng(11), noise=doubled)


@pytest.mark.parametrize(("slope", "alpha"), LINEAR)
def test_the_variances_of_a_search_and_its_average_are_what_theory_says(slope, alpha):
    """Within the 99.9 % interval over runs, widened by what 5000 steps still lack of infinitely many."""
    runs, slow = search(slope, alpha), "^" in alpha
    low, high = runs.variance()
    expected = asymptotic_variance(alpha, slope, 4.0).at(STEPS)
    assert low * (1 - 0.01 * slow) < expected < high * (1 + 0.01 * slow)
    low, high = runs.variance_of_average()
    expected = averaged_variance(alpha, slope, 4.0).at(STEPS)
    lack = 0.07 if slow else 0.02
    assert low * (1 - lack) < expected < high * (1 + lack)


def test_the_variance_of_c_over_k_in_closed_form():
    """k Var → c²/(2c - 1); the recursion of the variance gives it without a single draw."""
    for c in (0.75, 1.0, 2.0, 5.0):
        variance = 0.0
        for k in range(1, 100_001):
            variance = (1 - c / k) ** 2 * variance + (c / k) ** 2
        assert asymptotic_variance(f"{c}/k", 1.0, 1.0).at(100_000) == pytest.approx(variance, rel=2e-3)
        assert asymptotic_variance(f"{c}/k", 1.0, 1.0).limit == pytest.approx(c**2 / (2 * c - 1))


def test_the_variance_of_a_constant_step_in_closed_form():
    for alpha, s in ((0.1, 1.0), (0.5, 2.0), (0.01, 3.0)):
        power, limit = asymptotic_variance(alpha, s, 4.0)
        assert power == 0
        assert limit == pytest.approx(alpha**2 * 4.0 / (1 - (1 - alpha * s) ** 2))
        assert limit == pytest.approx(alpha * 4.0 / (2 * s), rel=alpha * s)  # to first order
    assert asymptotic_variance(2.0, 1.0, 1.0).limit == np.inf


def test_too_small_steps_are_slower_than_1_over_k():
    """2 c g' <= 1: Var falls as k^-2cg', here k^-0.5; doubling k leaves 2^-0.5 of it."""
    assert asymptotic_variance("1/k", 0.25, 4.0).power == 0.5
    assert np.isnan(asymptotic_variance("1/k", 0.25, 4.0).limit)
    short, long = (search(0.25, "1/k", steps, 4000).variance(0.99) for steps in (1000, 4000))
    assert long[0] / short[1] < 4**-0.5 < long[1] / short[0]


def test_the_best_step_is_one_over_the_slope_and_the_average_needs_not_know_it():
    for s in (0.3, 1.0, 4.0):
        least = asymptotic_variance(f"{1 / s}/k", s, 1.0).limit
        assert least == pytest.approx(1 / s**2)
        assert averaged_variance("0.1/k^0.7", s, 1.0).limit == pytest.approx(least)
        for c in (0.6 / s, 2 / s, 9 / s):
            assert asymptotic_variance(f"{c}/k", s, 1.0).limit > least
            assert averaged_variance(f"{c}/k", s, 1.0).limit > least


def test_steps_that_stop_or_explode_have_no_limit():
    for alpha in ("1/k^2", "linear(1, 0, 100)"):
        assert np.isnan(asymptotic_variance(alpha, 1.0, 1.0).limit)
        assert np.isnan(averaged_variance(alpha, 1.0, 1.0).limit)
    assert asymptotic_variance("linear(1, 0.1, 100)", 1.0, 1.0) == asymptotic_variance(0.1, 1.0, 1.0)


def test_widths_that_suit_a_step_size():
    assert widths("1/k", "1/k^0.33").suit
    assert widths("1/k", "1/k^0.25").suit
    assert widths("1/k", "1/k^0.5") == (True, True, True, False)  # too narrow: the noise wins
    assert widths("1/k", "0.1") == (False, True, False, True)
    assert widths("1/k^0.6", "1/k^0.3") == (True, True, False, False)
    assert widths("1/k^2", "1/k") == (True, False, True, True)
    assert not widths("0.1", "0.1").suit


# Diagnoses


def test_w_cubed_minus_5_with_1_over_k():
    found = diagnose(cubic, "1/k", 0.0, noise=normal, rng=rng())
    assert found.slopes == (pytest.approx(0.0, abs=1e-8), np.inf)
    assert not found.slopes_hold
    assert found.steps_hold
    assert found.noise_holds
    assert not found.holds
    assert not found.weaker_hold
    np.testing.assert_array_equal(found.start, [0, 5, -55, 55405])
    assert found.diverges
    assert found.root == pytest.approx(5 ** (1 / 3))
    assert found.slope == pytest.approx(3 * 5 ** (2 / 3))
    assert found.variance.limit == pytest.approx(1 / (2 * found.slope - 1), rel=0.05)
    text = str(found)
    for words in ("FAILS  0 < c1", "c2 = inf", "0 → 5 → -55 → 55405, ... → ∞", "project=Interval", "clip=", "offset"):
        assert words in text
    assert not diagnose(cubic, "1/(k+1)", 0.0).diverges


def test_a_constant_step_that_is_too_long_is_seen():
    """1, -2, 4, -8, ...: a_k g' = 3 is above 2."""
    found = diagnose(lambda w: w, 3.0, 1.0)
    assert found.diverges
    assert found.variance.limit == np.inf
    assert any(remedy.startswith('shorter: alpha="1"') for remedy in found.remedies)


def test_its_remedies_work():
    found = diagnose(cubic, "1/k", 0.0, noise=normal, rng=rng())
    projection, clipping, offset = found.remedies
    low, high = (float(part) for part in projection.split("(")[1].split(")")[0].split(","))
    clip, alpha = float(clipping.split("=")[1].split(",")[0]), offset.split('"')[1]
    for alpha_now, options in [("1/k", {"project": Interval(low, high)}), ("1/k", {"clip": clip}), (alpha, {})]:
        runs = many_runs(cubic, 0.0, alpha_now, 5000, 2000, rng(1), noise=normal, **options)
        assert not runs.diverged.any()
        assert np.abs(runs.last - found.root).max() < 0.1


def test_kept_where_its_slope_is_bounded_the_cubic_meets_the_theorem():
    found = diagnose(cubic, "1/(k+1)", 1.0, region=(1.0, 3.0), projected=True, noise=normal, rng=rng())
    assert found.slopes == pytest.approx((3.0, 27.0), rel=1e-6)
    assert found.holds
    free = diagnose(cubic, "1/(k+1)", 1.0, region=(1.0, 3.0), noise=normal, rng=rng())
    assert free.leaves == pytest.approx(0.5, abs=0.02)  # w_2 = 1 + (4 - η)/2 = 3 - η/2 leaves [1, 3] by η < 0 or η > 4
    assert free.worst == pytest.approx(1 - (3 - 22 / 2))
    assert not free.holds


def test_tanh_is_flat_far_away_and_converges_all_the_same():
    g = lambda w: np.tanh(w - 1)  # noqa: E731
    line = diagnose(g, "1/k", 3.0)
    assert line.slopes == pytest.approx((0.0, 1.0), abs=1e-8)
    assert not line.holds
    assert line.weaker_hold
    assert "w still converges" in str(line)
    near = diagnose(g, "1/k", 3.0, region=(-3.0, 5.0))
    assert near.slopes == pytest.approx((np.cosh(4) ** -2, 1.0), rel=1e-5)
    assert near.holds


def test_the_slope_is_found_between_the_points():
    found = diagnose(lambda w: w + 0.9 * np.sin(w), "1/k", 0.0, region=(-4.0, 4.0), points=11)
    assert found.slopes == pytest.approx((0.1, 1.9), abs=1e-5)


@pytest.mark.parametrize(
    ("alpha", "sums"),
    [("0.1", "Σ a_k = ∞, Σ a_k² = ∞"), ("1/k^2", "Σ a_k < ∞, Σ a_k² < ∞"), ("1/k^0.5", "Σ a_k = ∞, Σ a_k² = ∞")],
)
def test_steps_that_fail(alpha, sums):
    found = diagnose(lambda w: w, alpha, 1.0)
    assert not found.steps_hold
    assert f"steps  FAILS  {sums}" in str(found)
    assert len(found.remedies) == 1


@pytest.mark.parametrize(
    ("noise", "zero_mean", "bounded"),
    [
        (normal, True, True),
        (lambda _, rng: rng.normal(0.1), False, True),
        (lambda w, rng: w * rng.standard_normal(), True, True),
        (lambda w, rng: 0.3 * (w > 0.5) + rng.standard_normal(), False, True),  # only on one side
        (lambda _, rng: rng.uniform(-1, 1), True, True),
    ],
)
def test_noise_that_holds_and_that_fails(noise, zero_mean, bounded):
    found = diagnose(lambda w: w, "1/k", 1.0, region=(-2.0, 2.0), noise=noise, rng=rng(3)).noise
    assert (found.zero_mean, found.bounded) == (zero_mean, bounded)


def test_heavy_tails_are_seen():
    found = diagnose(lambda w: w, "1/k", 1.0, noise=lambda _, rng: rng.standard_cauchy(), rng=rng(3))
    assert not found.noise.bounded
    assert "no bound" in str(found)


def test_the_noise_at_the_root_sets_the_variance():
    found = diagnose(lambda w: w - 2, "1/k", 0.0, noise=lambda w, rng: (1 + w) * rng.standard_normal(), rng=rng())
    assert found.noise.sigma2 == pytest.approx(9.0, rel=0.05)
    assert found.variance.limit == pytest.approx(9.0, rel=0.05)


def test_falling_functions_and_more_roots():
    falling = diagnose(lambda w: 1 - w, "1/k", 0.0)
    assert np.isnan(falling.root)
    assert "take -g" in str(falling)
    wavy = diagnose(np.sin, "1/k", 1.0, region=(-2.0, 6.0))
    assert not wavy.signs
    assert not wavy.slopes_hold
    assert "roots:" in str(wavy)


def test_slow_searches_are_told_to_hurry():
    found = diagnose(lambda w: 0.3 * w, "1/k", 1.0, noise=normal, rng=rng())
    assert found.variance.power == pytest.approx(0.6)
    assert any(remedy.startswith("speed") and '"3.333/k"' in remedy for remedy in found.remedies)


def test_what_makes_no_sense_is_refused():
    for options, match in [
        ({"w0": 5.0, "region": (0.0, 1.0)}, "w0 must lie in it"),
        ({"w0": 0.0, "region": (1.0, 0.0)}, "w0 must lie in it"),
        ({"w0": 0.0, "noise": normal}, "rng is None"),
    ]:
        with pytest.raises(ValueError, match=match):
            diagnose(cubic, "1/k", **options)
    with pytest.raises(ValueError, match="is not finite; choose a region"):
        diagnose(np.exp, "1/k", 0.0)

"""A Robbins-Monro search repeated many times as one compiled loop: to measure spread, and how often it blows up."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import is_jitted
from scipy import stats

from rlkit.arrays import Bools, Floats
from rlkit.tabular.approximation import Function, Noise, Steps
from rlkit.tabular.guards import Interval
from rlkit.tabular.schedule import rate, schedule

EVERYWHERE = Interval(-np.inf, np.inf)


class Runs(NamedTuple):
    """Where many independent runs ended."""

    last: Floats  # [runs]  the last w
    average: Floats  # [runs]  the mean of all w but the start, Polyak and Ruppert's
    diverged: Bools  # [runs]  w overflowed

    def variance(self, confidence: float = 0.999) -> tuple[float, float]:
        """Return the interval of the variance of the last w over runs, for a w that is nearly normal."""
        return _variance(self.last, confidence)

    def variance_of_average(self, confidence: float = 0.999) -> tuple[float, float]:
        """Return the interval of the variance of the averages over runs."""
        return _variance(self.average, confidence)

    def share_diverged(self, confidence: float = 0.999) -> tuple[float, float]:
        """Return the interval of the probability that a run overflows, Clopper and Pearson's."""
        count = stats.binomtest(int(self.diverged.sum()), len(self.diverged))
        interval = count.proportion_ci(confidence)
        return float(interval.low), float(interval.high)


def many_runs(
    g: Function,
    w0: float,
    alpha: Steps,
    steps: int,
    runs: int,
    rng: np.random.Generator,
    *,
    noise: Noise,
    project: Interval = EVERYWHERE,
    clip: float = np.inf,
) -> Runs:
    """Run `robbins_monro` many times from a number w0, one run after the other, with the same draws to the last bit.

    Args:
        g: w -> g(w) in Python that Numba can compile, or compiled already.
        w0: where all runs start.
        alpha: the step sizes.
        steps: of each run.
        runs: how many.
        rng: what all of them draw from.
        noise: (w, rng) -> η, to be compiled too.
        project: an interval.
        clip: the longest step.
    """
    if steps < 1 or runs < 1 or not clip > 0.0:
        raise ValueError(f"steps is {steps}, runs {runs} and clip {clip}; all of them must be above 0")
    low, high = float(np.asarray(project.low)), float(np.asarray(project.high))
    packed, last, average = schedule(alpha, "alpha").packed(), np.empty(runs), np.empty(runs)
    _loop(_compiled(g), _compiled(noise), float(w0), packed, steps, rng, low, high, float(clip), last, average)
    return Runs(last, average, ~np.isfinite(last))


@njit(nogil=True, error_model="numpy")
def _loop(
    g: Any,
    noise: Any,
    w0: float,
    alpha: Floats,
    steps: int,
    rng: np.random.Generator,
    low: float,
    high: float,
    clip: float,
    last: Floats,
    average: Floats,
) -> None:
    for run in range(len(last)):
        w, total = w0, 0.0
        for k in range(1, steps + 1):
            step = rate(alpha, k) * (g(w) + noise(w, rng))
            if abs(step) > clip:
                step *= clip / abs(step)
            w = min(max(w - step, low), high)
            total += w
            if not np.isfinite(w):
                break
        last[run] = w
        average[run] = total / steps


@lru_cache(maxsize=64)
def _compiled(function: Any) -> Any:
    return function if is_jitted(function) else njit(function)


def _variance(ends: Floats, confidence: float) -> tuple[float, float]:
    freedom = len(ends) - 1
    low, high = (float(stats.chi2.ppf((1.0 + side * confidence) / 2.0, freedom)) for side in (-1.0, 1.0))
    square = float(np.var(ends, ddof=1)) * freedom
    return square / high, square / low

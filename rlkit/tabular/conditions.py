"""What can be measured of a g and its noise: the slopes on a region, the root, and the noise's moments from samples."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize

from rlkit.arrays import Floats
from rlkit.tabular.approximation import Function, Noise

FAR = 1e6  # where a line without an end is cut
STEEPER = 1.5  # a slope that grows by this in the last decade has no bound; one that shrinks so has no bound above 0
FLAT = 1e-8  # a slope below this part of the steepest counts as 0
ERRORS = 4.0  # standard errors that a mean of 0 may be off: a false alarm in 16 000
HEAVY = 0.05  # a single sample with more than this part of the sum of squares speaks of a variance without end
PLACES = 5  # points at which the noise is sampled


class Noisy(NamedTuple):
    """What the samples of the noise say, the worst of all points."""

    mean: float
    tolerance: float  # `ERRORS` standard errors
    square: float  # E η²
    heaviest: float  # the largest sample's part in the sum of squares
    sigma2: float  # the variance at the root
    samples: int

    @property
    def zero_mean(self) -> bool:
        """Whether E η = 0 is within the tolerance."""
        return abs(self.mean) <= self.tolerance

    @property
    def bounded(self) -> bool:
        """Whether nothing speaks against E η² < ∞; no number of samples can prove it."""
        return self.heaviest <= HEAVY


def derivative(g: Function) -> Callable[[float], float]:
    """Return g' by central differences."""

    def central(w: float) -> float:
        h = 1e-5 * max(1.0, abs(w))
        return float((g(w + h) - g(w - h)) / (2.0 * h))

    return central


def grid(low: float, high: float, w0: float, points: int) -> Floats:
    """Points from end to end; towards an infinity their distances from w0 grow by a factor."""
    if np.isfinite(high - low):
        return np.linspace(low, high, points)
    half = np.geomspace(1e-3, FAR, points // 2)
    below = w0 - half[::-1] if np.isinf(low) else np.linspace(low, w0, points // 2, endpoint=False)
    above = w0 + half if np.isinf(high) else np.linspace(w0, high, points // 2 + 1)[1:]
    return np.concatenate((below, [w0], above))


def slopes(slope: Callable[[float], float], grid: Floats, region: tuple[float, float]) -> tuple[float, float]:
    """The least and the steepest slope: the best of the grid, refined between its neighbours, and the ends looked at."""
    measured = np.array([slope(w) for w in grid])
    ends = []
    for sign in (1.0, -1.0):
        i = int((sign * measured).argmin())
        between = (grid[max(0, i - 1)], grid[min(len(grid) - 1, i + 1)])
        better = optimize.minimize_scalar(lambda w, sign=sign: sign * slope(w), bounds=between, method="bounded")
        ends.append(float(min(better.fun, sign * measured[i]) * sign))
    least, steepest = ends
    for end, infinite in ((grid[0], np.isinf(region[0])), (grid[-1], np.isinf(region[1]))):
        outer, inner = slope(end), slope(end / 10.0)
        if infinite and abs(outer) > STEEPER * max(abs(inner), FLAT):
            steepest = np.inf if outer > 0.0 else steepest
            least = -np.inf if outer < 0.0 else least
        elif infinite and abs(outer) <= abs(inner) / STEEPER:
            least = min(least, 0.0)
    return least, steepest


def root(g: Function, grid: Floats, values: Floats) -> float:
    """The root at which g rises through 0."""
    rises = np.flatnonzero((values[:-1] <= 0.0) & (values[1:] > 0.0))
    return float(optimize.brentq(g, grid[rises[0]], grid[rises[0] + 1], xtol=1e-13)) if len(rises) else np.nan


def sampled(
    noise: Noise | None, rng: np.random.Generator | None, places: Floats, root: float, w0: float, samples: int
) -> tuple[Noisy, Floats]:
    """Sample the noise; its verdict, and the samples at w0."""
    if noise is None or rng is None:
        return Noisy(0.0, 0.0, 0.0, 0.0, 0.0, 0), np.zeros(1)
    draws = [np.array([float(noise(w, rng)) for _ in range(samples)]) for w in (*places, root, w0)]
    squares = [drawn @ drawn for drawn in draws]
    means = [(drawn.mean(), ERRORS * drawn.std() / np.sqrt(samples)) for drawn in draws]
    mean, tolerance = max(means, key=lambda pair: abs(pair[0]) - pair[1])
    heaviest = max(
        float((drawn**2).max() / square) if square else 0.0 for drawn, square in zip(draws, squares, strict=True)
    )
    return Noisy(mean, tolerance, max(squares) / samples, heaviest, float(np.var(draws[-2])), samples), draws[-1]

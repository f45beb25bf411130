"""Statistics for a handful of runs, Agarwal et al. (arXiv:2108.13264): the interquartile mean and its bootstrap interval."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Band(NamedTuple):
    """Interquartile means with an interval around each."""

    middle: Floats  # [K]
    low: Floats  # [K]
    high: Floats  # [K]


def interquartile_mean(x: Floats) -> Floats:
    """Return the mean of the middle half along the last axis: what is left when ⌊n/4⌋ numbers go at either end."""
    n = x.shape[-1]
    cut = n // 4
    ordered = np.sort(x, axis=-1)
    middle: Floats = ordered[..., cut : n - cut].mean(axis=-1)
    return middle


def band(x: Floats, *, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Band:
    """Return interquartile means over runs, with percentile bootstrap intervals.

    The runs are drawn anew, with replacement, `draws` times; the interval holds `level` of the means that come out.
    Whole runs are drawn, the same for every row. With one environment there is one stratum to draw from.

    Args:
        x: [K, n] numbers of n independent runs; infinities are allowed.
        level: of the interval.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """
    n = x.shape[1]
    chosen = np.random.default_rng(seed).integers(n, size=(draws, n))
    edges = (0.5 - level / 2, 0.5 + level / 2)
    # nearest ranks, because between two infinities there is no number
    limits = [np.quantile(interquartile_mean(row[chosen]), edges, method="nearest") for row in x]
    low, high = np.array(limits).reshape(-1, 2).T
    return Band(interquartile_mean(x), low, high)

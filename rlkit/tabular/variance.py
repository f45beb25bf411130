"""What a Robbins-Monro search ends up with: the asymptotic variance of w_k and of its average, and widths for differences.

Near the root g(w) ≈ s (w - w*), and the noise has variance σ² there. Sacks 1958 for a_k = c/k; Polyak and Juditsky 1992
for averages.
"""

from typing import NamedTuple

import numpy as np

from rlkit.tabular.approximation import Steps
from rlkit.tabular.schedule import POWER, Schedule, schedule


class Spread(NamedTuple):
    """k^power Var(w_k) → limit; NaN where the limit depends on the start or on the whole of g."""

    power: float
    limit: float

    def at(self, k: int) -> float:
        """Return what Var(w_k) is to first order."""
        return float(self.limit / k**self.power)


def asymptotic_variance(alpha: Steps, slope: float, sigma2: float) -> Spread:
    """Return the spread of w_k.

    a_k = c/(k+b): k Var → c² σ² / (2 c s - 1) where 2 c s > 1; k^{2cs} Var has a limit that depends on the start where
    2 c s < 1; at 2 c s = 1 it is k Var / log k that has one. a_k = c/(k+b)^p with p < 1: k^p Var → c σ² / (2 s).
    a_k = α: Var → α σ² / (s (2 - α s)), which is α σ² / (2 s) to first order; exact where g is linear.
    """
    a, cs = schedule(alpha, "alpha"), schedule(alpha, "alpha").start * slope
    if a.last > 0.0:
        settles = a.last * slope < 2.0
        return Spread(0.0, a.last * sigma2 / (slope * (2.0 - a.last * slope)) if settles else np.inf)
    if a.kind != POWER or a.power > 1.0:
        return Spread(0.0, np.nan)
    if a.power < 1.0:
        return Spread(a.power, a.start * sigma2 / (2.0 * slope))
    if 2.0 * cs <= 1.0:
        return Spread(2.0 * cs, np.nan)
    return Spread(1.0, a.start**2 * sigma2 / (2.0 * cs - 1.0))


def averaged_variance(alpha: Steps, slope: float, sigma2: float) -> Spread:
    """Return the spread of the average of w_1, ..., w_k.

    a_k = c/(k+b)^p with p < 1: k Var → σ² / s², the least that is possible, whatever c. A constant step gives the same
    where g is linear. a_k = c/(k+b): 2 c σ² / (s (2 c s - 1)) where 2 c s > 1, which is more: the average wants
    steps that fall more slowly.
    """
    a = schedule(alpha, "alpha")
    cs = a.start * slope
    if a.kind != POWER or a.power > 1.0 or (a.power == 0.0 and cs >= 2.0):
        return Spread(0.0, np.nan)
    if a.power < 1.0:
        return Spread(1.0, sigma2 / slope**2)
    if 2.0 * cs <= 1.0:
        return Spread(2.0 * cs, np.nan)
    return Spread(1.0, 2.0 * a.start * sigma2 / (slope * (2.0 * cs - 1.0)))


class Widths(NamedTuple):
    """The conditions of Kiefer and Wolfowitz 1952 on a_k and the width c_k of a difference."""

    vanish: bool  # c_k → 0: the difference becomes the derivative
    reach: bool  # Σ a_k = ∞
    bias: bool  # Σ a_k c_k < ∞
    noise: bool  # Σ (a_k / c_k)² < ∞

    @property
    def suit(self) -> bool:
        """Whether all of them hold."""
        return all(self)


def widths(alpha: Steps, width: Steps) -> Widths:
    """Say whether a step size and a width suit each other: a_k = 1/k and c_k = 1/k^(1/3) do."""
    a, c = schedule(alpha, "alpha"), schedule(width, "width")
    fall_a, fall_c = _fall(a), _fall(c)
    return Widths(
        vanish=c.last == 0.0,
        reach=a.sum_diverges,
        bias=fall_a + fall_c > 1.0,
        noise=np.isinf(fall_a) or fall_a - fall_c > 0.5,
    )


def _fall(a: Schedule) -> float:
    """The power by which a schedule falls; a ramp that ends at 0 falls faster than all."""
    if a.start == 0.0 or a.kind != POWER:
        return np.inf if a.last == 0.0 else 0.0
    return a.power

"""What a diagnosis of a Robbins-Monro search says, and how it reads."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rlkit.arrays import Floats
from rlkit.tabular.conditions import ERRORS, FLAT, PLACES, Noisy
from rlkit.tabular.schedule import Schedule
from rlkit.tabular.variance import Spread


class Diagnosis(NamedTuple):
    """What `rlkit.tabular.diagnosis.diagnose` found; print it."""

    region: tuple[float, float]
    projected: bool  # w is kept in the region
    alpha: Schedule
    slopes: tuple[float, float]  # c1, c2: the least and the steepest g' in the region
    signs: bool  # g is below 0 below the root, and above 0 above it
    root: float  # NaN: none in the region, or none found
    slope: float  # g'(w*)
    noise: Noisy
    start: Floats  # w0 and three steps without noise
    leaves: float  # the part of noisy first steps from w0 that leave the region
    worst: float  # the longest way out of the region that a first step without noise can go
    diverges: bool  # without noise, from w0
    variance: Spread
    averaged: Spread
    remedies: tuple[str, ...]

    @property
    def slopes_hold(self) -> bool:
        """Condition 1: 0 < c1 <= g'(w) <= c2 < ∞ in the region."""
        return self.slopes[0] > FLAT * min(self.slopes[1], 1.0) and bool(np.isfinite(self.slopes[1]))

    @property
    def steps_hold(self) -> bool:
        """Condition 2: Σ a_k = ∞ and Σ a_k² < ∞."""
        return self.alpha.robbins_monro

    @property
    def noise_holds(self) -> bool:
        """Condition 3: E η = 0 and E η² < ∞, as far as samples can tell."""
        return self.noise.zero_mean and self.noise.bounded

    @property
    def holds(self) -> bool:
        """Whether w_k → w* with probability 1: all three conditions, and no first step leaves the region."""
        return self.slopes_hold and self.steps_hold and self.noise_holds and self.stays

    @property
    def stays(self) -> bool:
        """Whether w is kept in the region, or no first step from anywhere in it was seen to leave it."""
        return self.projected or (self.worst == 0.0 and self.leaves == 0.0)

    @property
    def weaker_hold(self) -> bool:
        """Whether w_k → w* all the same where g is flat: the right signs and a slope with a bound; Blum 1954."""
        bounded = bool(np.isfinite(self.slopes[1]))
        return self.signs and bounded and self.steps_hold and self.noise_holds and self.stays

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(found: Diagnosis) -> Iterator[str]:
    low, high = found.region
    verdict = {True: "holds", False: "FAILS"}
    c1, c2 = found.slopes
    least, noise = 0.0 if abs(c1) < FLAT * min(abs(c2), 1.0) else c1, found.noise
    kept = ", where w is kept" if found.projected else ""
    yield f"Robbins and Monro's theorem (Zhao 6.1) for a_k = {found.alpha} on [{low:g}, {high:g}]{kept}"
    yield f"  slope  {verdict[found.slopes_hold]}  0 < c1 <= g'(w) <= c2: c1 = {least:.4g}, c2 = {c2:.4g}"
    sums = [f"Σ a_k {'=' if found.alpha.sum_diverges else '<'} ∞"]
    sums.append(f"Σ a_k² {'<' if found.alpha.squares_converge else '='} ∞")
    yield f"  steps  {verdict[found.steps_hold]}  {', '.join(sums)}"
    told = f"mean {noise.mean:.2g} ± {noise.tolerance:.2g}, E η² {noise.square:.3g}" if noise.samples else "none"
    heavy = "" if noise.bounded else f", of which one sample makes {100 * noise.heaviest:.0f} %: no bound"
    yield f"  noise  {verdict[found.noise_holds]}  {told}{heavy}"
    if noise.samples:
        yield f"         (the worst of {PLACES + 2} points, {noise.samples} samples each; ± is {ERRORS:g} standard errors)"
    yield f"  start  without noise w goes {' → '.join(f'{w:.6g}' for w in found.start)}{', ... → ∞' * found.diverges}"
    if np.isfinite(high - low) and not found.projected:
        yield f"         {100 * found.leaves:.3g} % of first steps from there leave the region, from elsewhere by up to {found.worst:.3g}"
    yield f"  root   {f'w* = {found.root:.6g}' if np.isfinite(found.root) else 'g does not rise through 0 here'}"
    if np.isfinite(found.slope):
        yield f"         g'(w*) = {found.slope:.6g}, σ² = {noise.sigma2:.4g} there"
        yield f"  spread {_spread('Var(w_k)', found.variance)}; {_spread('Var(average)', found.averaged)}"
    if found.weaker_hold and not found.holds:
        yield "  but    w still converges: g has the right sign on both sides of w*, and c2 is finite (Blum 1954)"
    for remedy in found.remedies:
        yield f"  remedy {remedy}"


def _spread(what: str, spread: Spread) -> str:
    factor = {0.0: "", 1.0: "k "}.get(spread.power, f"k^{spread.power:.3g} ")
    if np.isnan(spread.limit):
        return f"{factor}{what} has no limit that could be told beforehand"
    return f"{factor}{what} → {spread.limit:.4g}"

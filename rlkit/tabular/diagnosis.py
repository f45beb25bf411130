"""Will it converge? The conditions of Zhao theorem 6.1 checked for a g, a noise and a schedule on a region, with remedies."""

from collections.abc import Iterator

import numpy as np

from rlkit.tabular.approximation import Function, Noise, Steps, robbins_monro
from rlkit.tabular.conditions import FAR, FLAT, PLACES, derivative, grid, root, sampled, slopes
from rlkit.tabular.guards import Interval, anywhere
from rlkit.tabular.schedule import POWER, Schedule, schedule
from rlkit.tabular.variance import Spread, asymptotic_variance, averaged_variance
from rlkit.tabular.verdict import Diagnosis

__all__ = ["Diagnosis", "diagnose"]


def diagnose(
    g: Function,
    alpha: Steps,
    w0: float,
    *,
    region: tuple[float, float] = (-np.inf, np.inf),
    projected: bool = False,
    noise: Noise | None = None,
    rng: np.random.Generator | None = None,
    points: int = 2001,
    samples: int = 20_000,
) -> Diagnosis:
    """Check the conditions of Robbins and Monro's theorem, Zhao theorem 6.1, and say what to expect.

    Args:
        g: w -> g(w), a number for a number.
        alpha: the step sizes.
        w0: where the search starts.
        region: where to look; a side without an end is sampled up to 1e6, in steps that grow.
        projected: whether the search is run with project=Interval(*region).
        noise: (w, rng) -> η.
        rng: what the noise draws from.
        points: at which g' is measured by central differences, and refined where it is least and steepest.
        samples: of the noise at each of 5 points.

    Raises:
        ValueError: naming what is wrong.
    """
    low, high = map(float, region)
    a = schedule(alpha, "alpha")
    if not low < high or not low <= w0 <= high:
        raise ValueError(f"w0 is {w0} and the region goes from {low} to {high}; w0 must lie in it")
    if noise is not None and rng is None:
        raise ValueError("rng is None; pass np.random.default_rng(seed) for the noise to draw from")
    steep, at = derivative(g), grid(low, high, w0, points)
    with np.errstate(all="ignore"):
        values = np.array([float(g(w)) for w in at])
    if not np.isfinite(values).all():
        raise ValueError(f"g({at[~np.isfinite(values)][0]:g}) is not finite; choose a region where g is")
    found = root(g, at, values)
    places = np.linspace(low, high, PLACES) if np.isfinite(high - low) else w0 + np.linspace(-10.0, 10.0, PLACES)
    seen, first = sampled(noise, rng, np.clip(places, low, high), found if np.isfinite(found) else w0, w0, samples)
    reached = w0 - a(1) * (float(g(w0)) + first)
    ahead = at - a(1) * values
    guard = Interval(low, high) if projected else anywhere
    known = np.isfinite(found) and steep(found) > 0.0
    made = Diagnosis(
        region=(low, high),
        projected=projected,
        alpha=a,
        slopes=slopes(steep, at, (low, high)),
        signs=bool(np.isfinite(found) and (values * np.sign(at - found) > 0.0)[np.abs(at - found) > FLAT].all()),
        root=found,
        slope=steep(found) if known else np.nan,
        noise=seen,
        start=robbins_monro(g, w0, a, 3, project=guard),
        leaves=float(np.mean((reached < low) | (reached > high))),
        worst=float(np.maximum(low - ahead, ahead - high).max(initial=0.0)),
        diverges=not abs(robbins_monro(g, w0, a, 1000, project=guard)[-1]) < FAR * (1.0 + abs(w0)),
        variance=asymptotic_variance(a, steep(found), seen.sigma2) if known else Spread(0.0, np.nan),
        averaged=averaged_variance(a, steep(found), seen.sigma2) if known else Spread(0.0, np.nan),
        remedies=(),
    )
    return made._replace(remedies=tuple(_remedies(made, derivative(g))))


def _remedies(found: Diagnosis, steep: Function) -> Iterator[str]:
    a, (_, c2) = found.alpha, found.slopes
    if not np.isfinite(found.slope):
        yield "take -g if g falls through 0, or a region with one root"
        return
    if not found.signs:
        yield "roots: g has the wrong sign on some side of w*, so that another end is possible; choose a smaller region"
    if found.diverges or not found.stays or not np.isfinite(c2):
        reach = 2.0 * abs(found.start[0] - found.root) or 1.0
        low, high = max(found.region[0], found.root - reach), min(found.region[1], found.root + reach)
        c2 = max(steep(low), steep(high), found.slope)
        yield f"projection: project=Interval({low:.4g}, {high:.4g}), where g' is at most {c2:.4g}"
        yield f"clipping: clip={reach / 2:.4g}, the distance from the start to the root"
        if a.kind == POWER and a(1) * c2 > 1.0:
            yield f'{"offset" if a.power else "shorter"}: alpha="{_slower(a, c2)}", so that no step from the interval above jumps past the root'
    if not a.sum_diverges:
        yield f'reach: the steps end before infinity; alpha="{a.start:g}/k" gets everywhere'
    if not a.squares_converge:
        yield f'noise: these steps never average it out; alpha="{a.start:g}/k^0.7" with polyak_ruppert does'
    if a.kind == POWER and a.power == 1.0 and 2.0 * a.start * found.slope <= 1.0:
        yield f'speed: 2 c times the slope at the root is not above 1; alpha="{1.0 / found.slope:.4g}/k" or "{a.start:g}/k^0.7" with polyak_ruppert'
    if not found.noise.zero_mean:
        yield f"bias: what is found is the root of g + E η, E η = {found.noise.mean:.3g}; take the mean off the noise"
    if not found.noise.bounded:
        yield "heavy noise: clip the steps; the root stays where it is only if the noise is symmetric"


def _slower(a: Schedule, c2: float) -> str:
    """The schedule moved on to where a_1 c2 <= 1."""
    if a.power == 0.0:
        return f"{1.0 / c2:.4g}"
    offset = np.ceil((a.start * c2) ** (1.0 / a.power) - 1.0)
    return str(a._replace(offset=float(offset)))

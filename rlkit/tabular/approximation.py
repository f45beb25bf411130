"""Stochastic approximation, Zhao (6.5): w_{k+1} = w_k - a_k g̃(w_k, η_k), its special cases and its average.

A path is [K + 1] or [K + 1, d]: the start (the book's w_1), then what each step made of it. Where w overflows, the path
ends: the rest is NaN.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rlkit.arrays import Floats
from rlkit.tabular.guards import Guard, anywhere, clipped
from rlkit.tabular.jit import kernel
from rlkit.tabular.schedule import Rate, Schedule, rate, schedule

Steps = Rate | Schedule
Function = Callable[[Any], Any]  # w -> number or [d]; plain Python or compiled
Noise = Callable[[Any, np.random.Generator], Any]  # (w, rng) -> η, as large as what it is added to


@kernel
def toward(w: float, x: float, alpha: float) -> float:
    """Move an estimate towards a sample, Zhao (6.4): w - α (w - x)."""
    return w - alpha * (w - x)


def incremental_mean(x: ArrayLike, alpha: Steps = "1/k", w0: float = 0.0) -> Floats:
    """Average samples one by one, Zhao (6.2) to (6.4): w_{k+1} = w_k - α_k (w_k - x_k).

    Args:
        x: [n] or [n, d].
        alpha: "1/k" gives the mean of the samples so far, and then w0 does not count.
        w0: the first estimate, the book's w_1.

    Returns:
        The path, [n + 1] or [n + 1, d].
    """
    samples = np.array(x, np.float64)
    if samples.ndim not in {1, 2} or not np.isfinite(samples).all():
        raise ValueError(f"x has shape {list(samples.shape)}; it must be [n] or [n, d] and finite")
    path = np.full((len(samples) + 1, *samples.shape[1:]), w0, np.float64)
    flat = path.reshape(len(path), -1)
    _average(flat, samples.reshape(len(samples), flat.shape[1]), schedule(alpha, "alpha").packed())
    return path


@kernel
def _average(path: Floats, samples: Floats, alpha: Floats) -> None:
    for k in range(1, len(path)):
        a = rate(alpha, k)
        for i in range(path.shape[1]):
            path[k, i] = toward(path[k - 1, i], samples[k - 1, i], a)


def robbins_monro(
    g: Function,
    w0: ArrayLike,
    alpha: Steps,
    steps: int,
    *,
    noise: Noise | None = None,
    rng: np.random.Generator | None = None,
    project: Guard = anywhere,
    clip: float = np.inf,
) -> Floats:
    """Look for the root of g by noisy observations, Zhao (6.5): w_{k+1} = w_k - a_k (g(w_k) + η_k).

    Args:
        g: w -> g(w), a number for a number, [d] for [d]; it may be noisy itself.
        w0: where to start, the book's w_1: a number or [d].
        alpha: the step sizes a_1, a_2, ...
        steps: how many.
        noise: (w, rng) -> η; none by default.
        rng: what the noise draws from.
        project: a guard after each step: `Interval` or `Ball` of rlkit.tabular.guards, or any function w -> w.
        clip: a guard in each step: the longest step ‖a_k g̃‖.

    Returns:
        The path, [steps + 1] or [steps + 1, d].
    """
    if noise is None:
        return _iterate(lambda _, w: g(w), w0, alpha, steps, project, clip)
    draw, stream = noise, _asked(rng)
    return _iterate(lambda _, w: g(w) + draw(w, stream), w0, alpha, steps, project, clip)


def kiefer_wolfowitz(
    f: Function,
    w0: ArrayLike,
    alpha: Steps,
    width: Steps,
    steps: int,
    *,
    noise: Noise | None = None,
    rng: np.random.Generator | None = None,
    project: Guard = anywhere,
    clip: float = np.inf,
) -> Floats:
    """Look for the minimum of f by noisy values alone; Kiefer and Wolfowitz 1952.

    w_{k+1} = w_k - a_k (f̃(w_k + c_k e_i) - f̃(w_k - c_k e_i)) / (2 c_k) for each coordinate i. Arguments as of
    `robbins_monro`; the noise is that of a value of f, and `width` is c_k. `rlkit.tabular.variance.widths` says whether
    the two schedules suit each other.
    """
    c = schedule(width, "width")
    if min(c(1), c.end if c.kind else c(1)) <= 0.0:
        raise ValueError(f"width is {width!r}; a difference over the width 0 has no quotient")
    packed, axes = c.packed(), list(np.eye(np.size(w0)).reshape(np.size(w0), *np.shape(w0)))
    value = f
    if noise is not None:
        draw, stream = noise, _asked(rng)
        value = lambda w: f(w) + draw(w, stream)  # noqa: E731 - a def of another type would be one too many

    def difference(k: int, w: Any) -> Any:
        h = rate(packed, k)
        slopes = [(value(w + h * axis) - value(w - h * axis)) / (2.0 * h) for axis in axes]
        return np.reshape(slopes, np.shape(w))[()]

    return _iterate(difference, w0, alpha, steps, project, clip)


def gradient_descent(
    gradient: Callable[[Any, Floats], Any],
    w0: ArrayLike,
    alpha: Steps,
    steps: int,
    x: ArrayLike,
    *,
    batch: int | None = 1,
    rng: np.random.Generator | None = None,
    project: Guard = anywhere,
    clip: float = np.inf,
) -> Floats:
    """Minimize the mean of f(w, x) over samples: SGD, mini-batch and batch gradient descent, Zhao (6.12), (6.13), 6.4.4.

    w_{k+1} = w_k - α_k mean_j ∇f(w_k, x_j): Robbins-Monro with g̃ the gradient of what was drawn.

    Args:
        gradient: (w, x [m, ...]) -> ∇_w f of each sample, [m] or [m, d].
        w0: where to start.
        alpha: the step sizes.
        steps: how many.
        x: [n, ...] the samples.
        batch: m samples are drawn with replacement for each step, so that m = n is not the whole set; None is.
        rng: what draws them.
        project: as of `robbins_monro`.
        clip: as of `robbins_monro`.
    """
    samples = np.array(x, np.float64)
    if batch is None:
        return _iterate(lambda _, w: np.mean(gradient(w, samples), axis=0), w0, alpha, steps, project, clip)
    if batch < 1:
        raise ValueError(f"batch is {batch}; draw 1 sample or more for each step, or None for all of them")
    n, m, stream = len(samples), batch, _asked(rng)
    return _iterate(
        lambda _, w: np.mean(gradient(w, samples[stream.integers(n, size=m)]), axis=0), w0, alpha, steps, project, clip
    )


def polyak_ruppert(path: Floats, burn_in: int = 0) -> Floats:
    """Average a path as it grows: w̄_k = mean(w_{b+1}, ..., w_k), its start and the b steps after it left out."""
    if not 0 <= burn_in < max(1, len(path)):
        raise ValueError(f"burn_in is {burn_in}; it must leave some of {len(path) - 1} steps")
    mean, tail = path.copy(), path[burn_in + 1 :]
    count = np.arange(1, len(tail) + 1).reshape(-1, *[1] * (path.ndim - 1))
    mean[burn_in + 1 :] = np.cumsum(tail, axis=0) / count
    return mean


def _iterate(
    observe: Callable[[int, Any], Any], w0: ArrayLike, alpha: Steps, steps: int, project: Guard, clip: float
) -> Floats:
    """Walk: the loop that all of them are."""
    start = np.array(w0, np.float64)
    if not np.isfinite(start).all() or start.ndim > 1:
        raise ValueError(f"w0 is {w0!r}; it must be a finite number, or [d] of them")
    if steps < 0 or not clip > 0.0:
        raise ValueError(f"steps is {steps} and clip {clip}; steps cannot be below 0, and clip is above 0")
    a, path = schedule(alpha, "alpha").packed(), np.full((steps + 1, *start.shape), np.nan)
    path[0] = w = start[()]
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, steps + 1):
            seen = observe(k, w)
            if np.shape(seen) != start.shape:
                raise ValueError(f"at w = {w} shape {list(np.shape(seen))} is observed; w has {list(start.shape)}")
            path[k] = project(w - clipped(rate(a, k) * seen, clip))
            w = path[k].copy()  # a number stays NumPy's, which overflows in silence
            if not np.isfinite(w).all():
                break
    return path


def _asked(rng: np.random.Generator | None) -> np.random.Generator:
    if rng is None:
        raise ValueError("rng is None; pass np.random.default_rng(seed) to draw from")
    return rng

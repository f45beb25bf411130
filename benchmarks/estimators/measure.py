"""Bias, variance and direction of gradients [R, D] of R batches, each with its standard error."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Measured(NamedTuple):
    """All lengths are in units of the exact gradient's; `_error` is the standard error of what stands before it.

    A bias of zero is measured as about its own standard error, which is the length of the noise that is left in the mean.
    """

    bias: float  # ‖E g - ∇J‖
    bias_error: float
    scale: float  # ⟨E g, ∇J⟩ / ‖∇J‖²: 1 where the length along the gradient is right
    scale_error: float
    direction: float  # cosine of the mean of g with ∇J: a scale's mistake does not count
    deviation: float  # root of the trace of the covariance of g
    deviation_error: float
    cosine: float  # mean of the cosine of g with ∇J; 0 where g = 0
    cosine_error: float
    mse: float  # E ‖g - ∇J‖²
    mse_error: float


def measure(gradients: Array, truth: Array) -> Measured:
    """Compare gradients [R, D] with the exact one [D], or with one for each of them [R, D]."""
    g, e = np.broadcast_arrays(gradients, truth)
    unit = float(np.linalg.norm(e.mean(axis=0)))
    off = (g - e) / unit
    squares = ((off - off.mean(axis=0)) ** 2).sum(axis=1)
    variance = float(squares.sum() / (len(g) - 1))
    deviation = np.sqrt(variance)
    along = (g * e).sum(axis=1) / (e**2).sum(axis=1)
    lengths = np.linalg.norm(g, axis=1) * np.linalg.norm(e, axis=1)
    cosine = (g * e).sum(axis=1) / np.where(lengths > 0.0, lengths, 1.0)
    wrong = (off**2).sum(axis=1)
    mean, exact = g.mean(axis=0), e.mean(axis=0)
    return Measured(
        float(np.linalg.norm(off.mean(axis=0))),
        deviation / np.sqrt(len(g)),
        float(along.mean()),
        _error(along),
        float(mean @ exact / max(np.linalg.norm(mean) * unit, np.finfo(float).tiny)),
        deviation,
        _error(squares) / (2.0 * deviation) if deviation > 0.0 else 0.0,
        float(cosine.mean()),
        _error(cosine),
        float(wrong.mean()),
        _error(wrong),
    )


def miss(gradients: Array, expected: Array) -> float:
    """Return how far the mean of gradients [R, D] is from what is expected [D], in standard errors of that distance."""
    mean = gradients.mean(axis=0)
    error = np.sqrt(((gradients - mean) ** 2).sum() / (len(gradients) - 1) / len(gradients))
    return float(np.linalg.norm(mean - expected) / error)


def _error(x: Array) -> float:
    return float(x.std(ddof=1) / np.sqrt(len(x)))

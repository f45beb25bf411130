"""Orthogonal first weights, drawn by NumPy, so that engines with and without torch begin alike."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GAIN = math.sqrt(2.0)  # of layers with an activation behind them


def orthogonal(shape: Sequence[int], gain: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a matrix whose shorter side's vectors are orthonormal, times `gain`; Saxe et al., arXiv:1312.6120.

    Uniformly drawn: the Q of a normal matrix's QR, its columns signed so that the diagonal of R is positive.

    Args:
        shape: [out, ...], read as [out, rest].
        gain: times which.
        rng: draws.
    """
    rows, columns = shape[0], math.prod(shape[1:])
    drawn = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0.0, -1.0, 1.0)
    whole = q if rows >= columns else q.T
    return np.asarray(gain * whole.reshape(shape), np.float32)

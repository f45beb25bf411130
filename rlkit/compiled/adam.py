"""Adam on a net, Kingma & Ba, arXiv:1412.6980 algorithm 1, with the gradient held to a global norm over all nets first."""

import math

from rlkit.compiled.jit import sums
from rlkit.compiled.mlp import Numbers

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-5


@sums
def squared(gradient: Numbers) -> float:
    """Return ‖g‖²."""
    total: float = gradient.dtype.type(0.0)
    for i in range(gradient.size):
        total += gradient[i] * gradient[i]
    return total


@sums
def adam(
    weights: Numbers, gradient: Numbers, mean: Numbers, square: Numbers,
    norm: float, max_norm: float, rate: float, count: int, epsilon: float,
) -> None:  # fmt: skip
    """Update weights [P].

        g ← g min(1, c / (‖g‖ + 1e-6)); m ← m + (1 - β₁) (g - m); v ← β₂ v + (1 - β₂) g²; θ ← θ - α m̂ / (√v̂ + ε)

    Args:
        weights: θ.
        gradient: g.
        mean: m.
        square: v.
        norm: ‖g‖ over all nets.
        max_norm: c.
        rate: α.
        count: t of this update, from 1; m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ).
        epsilon: ε.
    """
    number = weights.dtype.type
    scale = number(min(1.0, max_norm / (norm + 1e-6)))
    left1, left2, kept = number(1.0 - BETA1), number(1.0 - BETA2), number(BETA2)
    alpha = number(rate / (1.0 - BETA1**count))
    root = number(1.0 / math.sqrt(1.0 - BETA2**count))
    small = number(epsilon)
    for i in range(weights.size):
        g = gradient[i] * scale
        m = mean[i] + left1 * (g - mean[i])
        v = kept * square[i] + left2 * g * g
        mean[i], square[i] = m, v
        weights[i] -= alpha * m / (math.sqrt(v) * root + small)

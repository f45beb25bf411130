"""Distributions over actions, one row of outputs at a time; what they mean stands in `rlkit.policies.heads`."""

import math

from rlkit.compiled.jit import kernel
from rlkit.compiled.mlp import Numbers
from rlkit.compiled.smooth import exp

_HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)


@kernel
def softmax(out: Numbers, at: int, actions: int, p: Numbers, choice: int) -> tuple[float, float]:
    """Write π(·|s) to p[at], ...; return log π(choice|s) and the entropy. out[at], ... are logits."""
    number = out.dtype.type
    top = out[at]
    for a in range(1, actions):
        top = max(top, out[at + a])
    total, mean = number(0.0), number(0.0)
    for a in range(actions):
        weight = exp(out[at + a] - top)
        p[at + a] = weight
        total += weight
        mean += weight * (out[at + a] - top)
    for a in range(actions):
        p[at + a] /= total
    log_total = number(math.log(total))
    return out[at + choice] - top - log_total, log_total - mean / total


@kernel
def drawn(p: Numbers, at: int, actions: int, u: float) -> int:
    """Return how many cumulative probabilities are at most u of all; for u < 0 the most probable, of equal ones the lowest."""
    number = p.dtype.type
    if u < 0.0:
        best = 0
        for a in range(1, actions):
            best = a if p[at + a] > p[at + best] else best
        return best
    total = number(0.0)
    for a in range(actions):
        total += p[at + a]
    passed, choice = number(0.0), 0
    for a in range(actions - 1):
        passed += p[at + a]
        choice += 1 if passed <= u * total else 0
    return choice


@kernel
def gaussian(
    out: Numbers, at: int, weights: Numbers, log_std: int, actions: int, action: Numbers, row: int
) -> tuple[float, float]:
    """Return log π(a|s) of action[row] and the entropy.

    Args:
        out: means, from `at` on.
        at: see there.
        weights: logarithms of the standard deviations, from `log_std` on.
        log_std: see there.
        actions: A.
        action: [R, A].
        row: of it.
    """
    number = out.dtype.type
    logprob, entropy = number(0.0), number(0.0)
    for a in range(actions):
        log = weights[log_std + a]
        z = (action[row, a] - out[at + a]) * number(math.exp(-log))
        logprob -= number(0.5) * z * z + log + number(_HALF_LOG_TAU)
        entropy += log + number(0.5 + _HALF_LOG_TAU)
    return logprob, entropy

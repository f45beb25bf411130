"""Generalised advantages of a segment, Schulman et al., arXiv:1506.02438 eq. 16, and their whitening; see `rlkit.pg`."""

import math

from rlkit.compiled.jit import kernel
from rlkit.compiled.segment import Segment

_EPSILON = 1e-8
_ROUNDING = 8.0  # a deviation of no more than this many units in the last place of the mean is none


@kernel
def gae(segment: Segment, gamma: float, lam: float) -> None:
    """Set advantages and the critic's targets, A + V.

    δ_t = r_t + γ V(s_{t+1}) - V(s_t),  A_t = δ_t + γ λ A_{t+1}; V(s_{t+1}) = 0 after a terminal step, and the sum is cut where an
    episode or the segment ends.
    """
    steps = segment.obs.shape[0] // segment.worlds
    number = segment.values.dtype.type
    discount, decay = number(gamma), number(gamma * lam)
    for world in range(segment.worlds):
        later = number(0.0)
        for t in range((world + 1) * steps - 1, world * steps - 1, -1):
            ahead = number(0.0)
            if segment.cut[t] >= 0:
                ahead = segment.cut_values[segment.cut[t]]
            elif not segment.terminated[t]:
                ahead = segment.values[t + 1]
            if segment.terminated[t] or segment.truncated[t]:
                later = number(0.0)
            later = number(segment.rewards[t]) + discount * ahead - segment.values[t] + decay * later
            segment.advantages[t] = later
            segment.targets[t] = later + segment.values[t]


@kernel
def whiten(segment: Segment, least: float) -> None:
    """Give advantages mean 0 and deviation 1; all 0 where nothing varies.

    Args:
        segment: has them.
        least: the unit in the last place of 1 in their type.
    """
    x = segment.advantages
    mean = 0.0
    for i in range(x.size):
        mean += x[i]
    mean /= x.size
    spread = 0.0
    for i in range(x.size):
        spread += (x[i] - mean) ** 2
    deviation = math.sqrt(spread / x.size)
    scale = 1.0 / (deviation + _EPSILON) if deviation > _ROUNDING * least * abs(mean) else 0.0
    for i in range(x.size):
        x[i] = (x[i] - mean) * scale

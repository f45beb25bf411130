"""Rewards for the length of an answer, in tokens: what DAPO takes off long ones, and Kimi's within a group."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def overlong(length: int, limit: int, cache: int) -> float:
    """Return DAPO's punishment of a long answer, arXiv:2503.14476 eq. 13.

    0 up to limit - cache tokens, then (limit - cache - length) / cache, down to -1 at the limit and above.

    Raises:
        ValueError: cache does not fit into the limit.
    """
    if not 0 < cache <= limit:
        raise ValueError(f"cache is {cache}; it must lie between 1 and the limit, {limit}")
    return float(np.clip((limit - cache - length) / cache, -1.0, 0.0))


def length_rewards(lengths: Sequence[int], correct: Sequence[bool]) -> NDArray[np.float64]:
    """Return Kimi k1.5's length reward of each answer of a group, arXiv:2501.12599 section 2.3.3.

    λ = 1/2 - (length - shortest) / (longest - shortest); λ for a right answer, min(0, λ) for a wrong one; 0 where all have the
    same length.

    Raises:
        ValueError: the two differ in length.
    """
    if len(lengths) != len(correct):
        raise ValueError(f"there are {len(lengths)} lengths and {len(correct)} verdicts; they must be as many")
    sizes = np.asarray(lengths, np.float64)
    if not len(sizes) or sizes.max() == sizes.min():
        return np.zeros(len(sizes))
    gains = 0.5 - (sizes - sizes.min()) / (sizes.max() - sizes.min())
    found: NDArray[np.float64] = np.where(np.asarray(correct, np.bool_), gains, np.minimum(0.0, gains))
    return found


def is_number(reward: float | None) -> bool:
    """Whether a reward says anything: it is there, and not NaN."""
    return reward is not None and not math.isnan(reward)

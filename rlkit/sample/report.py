"""When a deep agent reports, and the numbers that all of them report."""

import math
import sys
from collections.abc import Sequence

import numpy as np
import torch

from rlkit import dist
from rlkit.sample.config import Deep

_MOST = 10_000  # steps between two reports where nobody says how many there will be


def every(config: Deep, steps: int) -> int:
    """Return the number of steps between two reports, where `steps` are asked for."""
    return config.report or (_MOST if steps == sys.maxsize else max(1, steps // 100))


def episodes(finished: Sequence[tuple[float, int]]) -> dict[str, float]:
    """Return how many episodes have ended, on all processes, their mean return and their mean length; NaN for none.

    Args:
        finished: (return, length) of each.
    """
    sums = np.array(finished, np.float64).reshape(-1, 2).sum(axis=0)
    total = dist.mean(torch.tensor([*sums, len(finished)], dtype=torch.float64)) * dist.world_size()
    returns, lengths, number = total.tolist()
    known = number or math.nan
    return {"episodes": number, "return": returns / known, "length": lengths / known}


def checked(scalars: dict[str, float], step: int) -> dict[str, float]:
    """Return what an update came to, if it came to numbers.

    Raises:
        ValueError: the net has diverged.
    """
    for name, value in scalars.items():
        if not math.isfinite(value):
            raise ValueError(
                f"{name} is {value} after step {step:,}: the net has diverged; lower lr or max_grad_norm, or scale the rewards "
                "with normalise_rewards"
            )
    return scalars

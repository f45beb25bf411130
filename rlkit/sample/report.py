"""When a deep agent reports, and the numbers that all of them report."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from rlkit import dist
from rlkit.sample.scalars import checked, every

__all__ = ["checked", "episodes", "every"]


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

"""A segment: what a policy did in N worlds for T steps, row n T + t of every array."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.compiled.mlp import Numbers


class Segment(NamedTuple):
    """R = N T rows, and what is worked out of them."""

    obs: Numbers  # [R, D]
    cut_obs: Numbers  # [C, D]  true successors of rows where the time was up and of last rows
    cut: NDArray[
        np.int64
    ]  # [R]  index into them; -1 where the successor is the next row's observation or nothing follows
    choice: NDArray[np.int64]  # [R]  of a categorical policy
    action: Numbers  # [R, A]  of a Gaussian one, without bounds
    logprobs: Numbers  # [R]
    rewards: NDArray[np.float32]  # [R]
    terminated: NDArray[np.bool_]  # [R]
    truncated: NDArray[np.bool_]  # [R]
    values: Numbers  # [R]
    cut_values: Numbers  # [C]
    advantages: Numbers  # [R]
    targets: Numbers  # [R]
    worlds: int  # N


def new_segment(worlds: int, steps: int, width: int, actions: int, dtype: type) -> Segment:
    """Return empty arrays for N worlds and T steps, observations of D numbers and actions of A."""
    rows = worlds * steps
    cuts = rows  # an episode may be over at every step
    return Segment(
        np.zeros((rows, width), dtype),
        np.zeros((cuts, width), dtype),
        np.full(rows, -1, np.int64),
        np.zeros(rows, np.int64),
        np.zeros((rows, max(1, actions)), dtype),
        np.zeros(rows, dtype),
        np.zeros(rows, np.float32),
        np.zeros(rows, np.bool_),
        np.zeros(rows, np.bool_),
        np.zeros(rows, dtype),
        np.zeros(cuts, dtype),
        np.zeros(rows, dtype),
        np.zeros(rows, dtype),
        worlds,
    )

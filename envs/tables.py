"""Grid-world dynamics as the batch kernels read them: rows of padded outcomes, and thresholds for random words."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from envs.dynamics import Rules
from envs.pcg64 import thresholds

T = TypeVar("T", bound=np.generic)
CERTAIN = np.uint64(2**64 - 1)  # no random word reaches it: the threshold behind which no outcome follows


class Table(NamedTuple):
    """Row base[s] + a holds W outcomes, the next one from threshold j on; state s + S is s, waiting for its reset.

    W is 1 where nothing is random, and 3 or more otherwise. The next form of a changing world
    begins at base[2 S].
    """

    base: NDArray[np.int32]  # [forms * 2 S]
    threshold: NDArray[np.uint64]  # [rows, W - 1]
    offset: NDArray[np.int32]  # [rows * W]
    reward: NDArray[np.float64]  # [rows * W]
    terminated: NDArray[np.bool_]  # [rows * W]
    starts: NDArray[np.int32]  # [M]  states where an episode can begin
    start_threshold: NDArray[np.uint64]  # [M - 1]
    n_states: np.int32
    n_actions: int


def table(forms: Sequence[Rules], n_actions: int, start: NDArray[np.float64]) -> Table:
    """The table of a world's rules, one for each form it takes; start is the distribution of s0.

    Outcome k holds for the first cdf[k] > u, cdf being the cumulative sum of the row. Waiting rows come last: they lead
    from a state to itself, pay nothing and draw nothing.
    """
    counts = np.concatenate([*(np.diff(form.indptr) for form in forms), np.ones(n_actions, np.int64)])
    width = int(counts.max())
    width = width if width == 1 else max(width, 3)
    used = np.arange(width) < counts[:, None]  # [rows, W]
    prob = _padded([form.prob for form in forms], used, n_actions)
    threshold = thresholds(np.cumsum(prob, axis=1))
    threshold[np.arange(width) >= counts[:, None] - 1] = CERTAIN
    waiting = np.full(len(start), len(counts) - n_actions)
    shift = np.cumsum([0, *(len(form.indptr) - 1 for form in forms)])
    base = [(form.rule.astype(np.int64) * n_actions + shift[i], waiting) for i, form in enumerate(forms)]
    starts = np.flatnonzero(start)
    return Table(
        np.concatenate([part for pair in base for part in pair]).astype(np.int32),
        np.ascontiguousarray(threshold[:, :-1]),
        _padded([form.offset for form in forms], used, n_actions).ravel(),
        _padded([form.reward for form in forms], used, n_actions).ravel(),
        _padded([form.terminated for form in forms], used, n_actions).ravel(),
        starts.astype(np.int32),
        thresholds(np.cumsum(start)[starts[:-1]]),
        np.int32(len(start)),
        n_actions,
    )


def _padded(parts: list[NDArray[T]], used: NDArray[np.bool_], n_waiting: int) -> NDArray[T]:
    values = np.concatenate([*parts, np.zeros(n_waiting, parts[0].dtype)])
    padded = np.zeros(used.shape, values.dtype)
    padded[used] = values
    return padded

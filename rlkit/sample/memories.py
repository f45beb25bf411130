"""A replay memory that several processes hold together, as one process would hold it: its worlds side by side.

The true successors stand in one list, in the order of steps and then of worlds; `final_at` counts in it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit import dist

_BY_WORLD = ("obs", "allowed", "actions", "rewards", "terminated", "truncated", "final_at")


def whole(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of the memory of all processes; each must ask.

    Args:
        state: of this process's `Replay`.
    """
    parts = dist.everyone(dict(state))
    if len(parts) == 1:
        return dict(state)
    marked = [part["final_at"] >= 0 for part in parts]
    side_by_side = np.concatenate(marked, axis=1)
    finals = np.empty((int(side_by_side.sum()), *parts[0]["finals"].shape[1:]), parts[0]["finals"].dtype)
    origin = np.where(side_by_side)[1]  # the world of each successor, in their order
    first = 0
    for part, own in zip(parts, marked, strict=True):
        finals[(origin >= first) & (origin < first + own.shape[1])] = part["finals"]
        first += own.shape[1]
    joined = {name: np.concatenate([part[name] for part in parts], axis=1) for name in _BY_WORLD if name in state}
    ended = sum(int(part["ended"]) for part in parts)
    return {**state, **joined, "final_at": _numbers(side_by_side, ended), "finals": finals, "ended": ended}


def share(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return this process's part of what `whole` gave."""
    if dist.world_size() == 1:
        return dict(state)
    mine = {name: dist.own(np.swapaxes(state[name], 0, 1)).swapaxes(0, 1) for name in _BY_WORLD if name in state}
    marked = np.asarray(state["final_at"]) >= 0
    number = np.cumsum(marked).reshape(marked.shape) - 1
    own = mine["final_at"] >= 0
    places: NDArray[np.int64] = dist.own(np.swapaxes(number, 0, 1)).swapaxes(0, 1)[own]
    forgotten = int(state["ended"]) - len(marked[marked])
    ended = int(own.sum()) + (forgotten if dist.rank() == 0 else 0)
    return {**state, **mine, "final_at": _numbers(own, ended), "finals": state["finals"][places], "ended": ended}


def _numbers(marked: NDArray[np.bool_], ended: int) -> NDArray[np.int64]:
    """Number the marked places in order, the last one ended - 1; -1 elsewhere."""
    numbers = np.full(marked.shape, -1, np.int64)
    numbers[marked] = np.arange(ended - int(marked.sum()), ended)
    return numbers

"""Snapshots: the arrays that a batch lives in, copied out and put back, so that it goes on as if it had never stopped."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def taken(live: Arrays) -> Arrays:
    """Copies of the arrays, by name."""
    return {name: array.copy() for name, array in live.items()}


def put_back(live: Arrays, state: Mapping[str, Any]) -> None:
    """Write the arrays of a snapshot over the live ones, all or none.

    Raises:
        ValueError: the snapshot is of another batch; says what differs.
    """
    if live.keys() != state.keys():
        raise ValueError(f"the state has {', '.join(sorted(state))}; this batch has {', '.join(sorted(live))}")
    for name, array in live.items():
        given = np.asarray(state[name])
        if given.shape != array.shape or given.dtype != array.dtype:
            raise ValueError(
                f"{name} is {given.dtype}{list(given.shape)} in the state; this batch has {array.dtype}{list(array.shape)}"
            )
    for name, array in live.items():
        array[...] = state[name]

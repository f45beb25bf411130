"""An agent's memory: a NamedTuple of arrays, numbers and NamedTuples of such, stacked over the runs of many seeds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Memory = Any


def stack(parts: list[Any]) -> Any:
    """Stack NamedTuples of arrays into one, each array with the run as its first axis; numbers stay."""
    first = parts[0]
    fields = []
    for i, field in enumerate(first):
        if isinstance(field, np.ndarray):
            fields.append(np.stack([part[i] for part in parts]))
        elif isinstance(field, tuple):
            fields.append(stack([part[i] for part in parts]))
        else:
            fields.append(field)
    return type(first)(*fields)


def row(stacked: Any, i: int) -> Any:
    """Return the i-th of stacked NamedTuples, its arrays views."""
    return type(stacked)(
        *(
            field[i] if isinstance(field, np.ndarray) else row(field, i) if isinstance(field, tuple) else field
            for field in stacked
        )
    )


def arrays(stacked: Any, prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """Go through the arrays of a NamedTuple, by name."""
    for key, field in zip(stacked._fields, stacked, strict=True):
        if isinstance(field, np.ndarray):
            yield prefix + key, field
        elif isinstance(field, tuple):
            yield from arrays(field, f"{prefix}{key}.")

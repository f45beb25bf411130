"""States that several processes hold together, as one process would hold them: rows joined, copies numbered through."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from rlkit import dist


def joined(rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return arrays [N, ...] with the rows of all processes, copies; each process must ask."""
    return {name: dist.joined(array).copy() for name, array in rows.items()}


def own(rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return this process's rows of what `joined` gave."""
    return {name: dist.own(array) for name, array in rows.items()}


def numbered(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what each copy has, by its number over all processes; each process must ask.

    Args:
        parts: by the copy's number on this process, "0", "1", ...
    """
    everybody = [part for share in dist.everyone(dict(parts)) for part in share.values()]
    return {str(i): part for i, part in enumerate(everybody)}


def denumbered(parts: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return what this process's `count` copies have of what `numbered` gave."""
    first = dist.rank() * count
    return {str(i): parts[str(first + i)] for i in range(count)}

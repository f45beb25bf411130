"""Sum tree: draws numbers in proportion to their priorities, and changes priorities, in log₂ steps; Schaul et al., arXiv:1511.05952."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


class SumTree:
    """Priorities of 0 .. size - 1, at first 0.

    A binary tree in one array: node k has the children 2 k and 2 k + 1, node 1 is the root, and every node is the sum of its
    children, added up anew at each change, so that no rounding errors gather.

    Args:
        size: how many.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._depth = max(1, (size - 1).bit_length())
        self._nodes: Floats = np.zeros(2 << self._depth)

    @property
    def total(self) -> float:
        """The sum of all priorities."""
        return float(self._nodes[1])

    @property
    def priorities(self) -> Floats:
        """All of them, [size], to be read."""
        first = 1 << self._depth
        return self._nodes[first : first + self.size]

    def set(self, which: Indices, priorities: Floats) -> None:
        """Give numbers [B] new priorities [B] >= 0; of one that comes twice, the last counts."""
        nodes = which + (1 << self._depth)
        self._nodes[nodes] = priorities
        for _ in range(self._depth):
            nodes = nodes >> 1
            self._nodes[nodes] = self._nodes[2 * nodes] + self._nodes[2 * nodes + 1]

    def find(self, mass: Floats) -> Indices:
        """Return for each m in [0, total), [B], the first number whose cumulative priority exceeds it."""
        nodes, left = np.ones(len(mass), np.int64), np.array(mass, np.float64)
        for _ in range(self._depth):
            nodes = 2 * nodes
            here = self._nodes[nodes]
            right = (left >= here) & (self._nodes[nodes + 1] > 0.0)
            left = np.where(right, left - here, left)
            nodes = nodes + right
        return nodes - (1 << self._depth)

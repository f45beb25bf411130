"""The order of rows in an epoch: a stable argsort of uniform numbers, in linear time."""

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Ints
from rlkit.compiled.jit import kernel


@kernel
def argsort(u: NDArray[np.float64], order: Ints, first: Ints) -> None:
    """Write the places of u [n], each in [0, 1), by rising number to order; equal ones in the order of their places.

    Numbers are dealt into n drawers by size, and each drawer, of about one number, is put in order.

    Args:
        u: the numbers.
        order: [n].
        first: [n + 1] scratch.
    """
    n = u.size
    first[:] = 0
    for i in range(n):
        first[int(u[i] * n) + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    for i in range(n - 1, -1, -1):
        drawer = int(u[i] * n) + 1
        first[drawer] -= 1
        order[first[drawer]] = i
    for i in range(1, n):
        moved, j = order[i], i
        while j > 0 and (u[order[j - 1]] > u[moved]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = moved

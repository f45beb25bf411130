"""A system of linear equations solved in place in compiled code: Gaussian elimination with threshold pivoting."""

import numpy as np

from rlkit.arrays import Floats
from rlkit.tabular.jit import kernel

THRESHOLD = 0.1  # a pivot on the diagonal stays that has this share of the column's largest: few swaps keep zeros


@kernel
def solve_in_place(matrix: Floats, right: Floats) -> bool:
    """Overwrite the right side b [n] with x of Mx = b; return whether M has full rank.

    Args:
        matrix: M [n, n], destroyed. Its zeros are skipped, so that a sparse system costs little.
        right: b [n].
    """
    n = right.size
    for j in range(n):
        pivot, largest = j, 0.0
        for i in range(j, n):
            if abs(matrix[i, j]) > largest:
                pivot, largest = i, abs(matrix[i, j])
        if not 0.0 < largest < np.inf:
            return False
        if abs(matrix[j, j]) < THRESHOLD * largest:
            right[j], right[pivot] = right[pivot], right[j]
            for k in range(j, n):
                matrix[j, k], matrix[pivot, k] = matrix[pivot, k], matrix[j, k]
        for i in range(j + 1, n):
            if matrix[i, j] != 0.0:
                factor = matrix[i, j] / matrix[j, j]
                right[i] -= factor * right[j]
                for k in range(j + 1, n):
                    matrix[i, k] -= factor * matrix[j, k]
    for j in range(n - 1, -1, -1):
        for k in range(j + 1, n):
            right[j] -= matrix[j, k] * right[k]
        right[j] /= matrix[j, j]
    return True

"""Linear systems in place, held against LAPACK."""

import numpy as np
import pytest

from rlkit.tabular.elimination import solve_in_place


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("zeros", [0.0, 0.7])
def test_it_solves_as_lapack_does(n, zeros):
    rng = np.random.default_rng(n)
    for _ in range(20):
        matrix = rng.normal(size=(n, n)) * (rng.random((n, n)) >= zeros)
        matrix[np.arange(n), rng.permutation(n)] += 3.0  # regular, but not on the diagonal
        right = rng.normal(size=n)
        if np.linalg.cond(matrix) > 1e6:
            continue
        x = right.copy()
        assert solve_in_place(matrix.copy(), x)
        assert np.allclose(x, np.linalg.solve(matrix, right), rtol=1e-8, atol=1e-10)


def test_it_says_where_there_is_no_solution():
    assert not solve_in_place(np.zeros((2, 2)), np.ones(2))
    assert not solve_in_place(np.array([[1.0, 2.0], [2.0, 4.0]]), np.ones(2))
    assert not solve_in_place(np.array([[np.nan, 2.0], [2.0, 4.0]]), np.ones(2))

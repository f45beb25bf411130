"""Members that meet see what all the others did before, at every step, with more of them than processors too."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba import njit

from rlkit.tabular.team import APART, meet


@njit(nogil=True)
def _count_late(progress, done, me, steps):
    late = 0
    for step in range(1, steps + 1):
        done[me * APART] = step
        meet(progress, me, 2 * step - 1)
        for other in range(done.size // APART):
            late += done[other * APART] != step
        meet(progress, me, 2 * step)
    return late


@pytest.mark.parametrize("members", [1, 2, 4])
def test_nobody_goes_on_before_all_have_done_their_step(members):
    progress, done = np.zeros(members * APART, np.int64), np.zeros(members * APART, np.int64)
    with ThreadPoolExecutor(members) as pool:
        late = list(pool.map(lambda me: _count_late(progress, done, me, 300), range(members)))
    assert late == [0] * members
    assert (done[::APART] == 300).all()

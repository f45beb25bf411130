"""Members that meet see what all the others did before, at every step, with more of them than processors too."""

import numpy as np
import pytest
from numba import njit

from rlkit.team import APART, Team, meet


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
    late = Team(members).do(lambda me: _count_late(progress, done, me, 300))
    assert late == [0] * members
    assert (done[::APART] == 300).all()


@pytest.mark.parametrize(("members", "count"), [(1, 7), (2, 7), (3, 7), (4, 2), (2, 0)])
def test_shares_are_ranges_in_order_and_nothing_is_left_out(members, count):
    shares = Team(members).share(count, lambda first, last: list(range(first, last)))
    assert len(shares) == members
    assert [i for share in shares for i in share] == list(range(count))

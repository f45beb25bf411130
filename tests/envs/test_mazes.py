"""Random grids: solvable whatever the density, the same from the same seed."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.cells import FLOOR, FORBIDDEN, TARGET, WALL
from envs.layouts import random_layout


def reachable(kinds, passable):
    rows, cols = kinds.shape
    seen = np.zeros(kinds.shape, bool)
    seen[-1, -1] = True
    queue = deque([(rows - 1, cols - 1)])
    while queue:
        row, col = queue.popleft()
        for r, c in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
            if 0 <= r < rows and 0 <= c < cols and not seen[r, c] and kinds[r, c] in passable:
                seen[r, c] = True
                queue.append((r, c))
    return seen


@settings(max_examples=200, deadline=None)
@given(
    rows=st.integers(1, 12),
    cols=st.integers(2, 12),
    walls=st.floats(0, 1),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_every_floor_cell_leads_to_the_target_over_floor(rows, cols, walls, share, seed):
    layout = random_layout(rows, cols, walls, seed, forbidden_density=(1 - walls) * share)
    kinds = layout.kinds
    assert kinds.shape == (rows, cols)
    assert np.argwhere(layout.starts).tolist() == [[0, 0]]
    assert np.argwhere(kinds == TARGET).tolist() == [[rows - 1, cols - 1]]
    over_floor = reachable(kinds, {FLOOR, TARGET})
    assert over_floor[0, 0]
    assert over_floor[kinds == FLOOR].all()
    assert reachable(kinds, {FLOOR, TARGET, FORBIDDEN})[kinds == FORBIDDEN].all()


def test_the_seed_decides_the_grid():
    assert str(random_layout(9, 7, 0.3, 5)) == str(random_layout(9, 7, 0.3, 5))
    assert str(random_layout(9, 7, 0.3, 5)) != str(random_layout(9, 7, 0.3, 6))


def test_density_is_kept_where_solvability_allows_it():
    kinds = random_layout(300, 300, 0.15, 1, forbidden_density=0.1).kinds
    assert (kinds == WALL).mean() == pytest.approx(0.15, abs=0.015)
    assert (kinds == FORBIDDEN).mean() == pytest.approx(0.10, abs=0.005)
    assert (random_layout(50, 40, 0.0, 1).kinds == WALL).sum() == 0


def test_a_full_grid_is_opened_by_one_shortest_way():
    kinds = random_layout(6, 9, 1.0, 3).kinds
    assert (kinds != WALL).sum() == 6 + 9 - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "rows is 0; it is a whole number, 1 or more"),
        ({"cols": 2.5}, r"cols is 2\.5"),
        ({"rows": 1, "cols": 1}, "rows x cols is 1 x 1"),
        ({"density": 1.1}, r"density is 1\.1; it is a probability"),
        ({"density": 0.7, "forbidden_density": 0.7}, r"density \+ forbidden_density is 1\.4"),
        ({"seed": -1}, "the seed of the random grid is -1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_layout(**arguments)

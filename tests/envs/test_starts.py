"""The `start` argument: what each form means, and what is refused."""

import numpy as np
import pytest

from envs.maps import parse
from envs.settings import Settings
from envs.starts import start_distribution

BOOK = Settings()


def distribution(text, start, settings=BOOK):
    return start_distribution(parse(text), settings, start).tolist()


def test_marked_is_uniform_over_the_marks_or_over_the_free_cells():
    assert distribution("S.S\n#XT", "marked") == [0.5, 0, 0.5, 0, 0, 0]
    assert distribution("...\n#XT", "marked") == [0.2, 0.2, 0.2, 0, 0.2, 0.2]


def test_free_cells_are_those_where_the_agent_can_be():
    assert distribution("...\n#XT", "uniform", Settings(target="terminal")) == [0.25, 0.25, 0.25, 0, 0.25, 0]
    third = pytest.approx(1 / 3)
    for forbidden in ("wall", "terminal", "restart"):
        settings = Settings(target="terminal", forbidden=forbidden)
        assert distribution("..S\n#XT", "uniform", settings) == [third, third, third, 0, 0, 0]


def test_one_cell():
    assert distribution("..S\n#XT", "single") == [0, 0, 1, 0, 0, 0]
    assert distribution("..S\n#XT", (0, 1)) == [0, 1, 0, 0, 0, 0]
    assert distribution("..S\n#XT", (np.int64(0), np.int8(1))) == [0, 1, 0, 0, 0, 0]


def test_probabilities():
    assert distribution("..\n.T", [0.25, 0.75, 0, 0]) == [0.25, 0.75, 0, 0]
    assert distribution(".T", [0, 1]) == [0, 1]  # a list is a distribution, a tuple is a cell


def test_single_lists_the_starts_that_it_found():
    with pytest.raises(ValueError, match="start='single'") as error:
        distribution("S.\n.S\n.T", "single")
    assert "the map has 2: (row, col) = (0, 0), (1, 1); keep one S" in str(error.value)
    assert "    S.\n    ^\n    .S\n     ^" in str(error.value)
    with pytest.raises(ValueError, match="the map has none; mark one cell S"):
        distribution("..\n.T", "single")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("random", "start is 'random'; use 'marked', 'single', 'uniform'"),
        ((2, 0), r"start is \(2, 0\); a cell is \(row, col\) with row 0 .. 1, col 0 .. 2"),
        ((0, -1), r"start is \(0, -1\)"),
        ((0, 1, 2), r"start is \(0, 1, 2\)"),
        ((0.0, 1), r"start is \(0\.0, 1\)"),
        ((True, 0), r"start is \(True, 0\)"),
        ((1, 0), r"start includes \(1, 0\), which cannot be entered; choose a free cell\n    #XT\n    \^"),
        ([1.0], r"start has shape \(1,\); there are 6 states"),
        ([0.5, 0.4, 0, 0, 0, 0], r"start sums to 0\.9"),
        ([1.5, -0.5, 0, 0, 0, 0], r"with minimum -0\.5"),
        ([0, 0, 0, 1.0, 0, 0], r"start includes \(1, 0\)"),
        ([np.nan, 1, 0, 0, 0, 0], "must be a distribution"),
    ],
)
def test_bad_starts_are_refused(start, message):
    with pytest.raises(ValueError, match=message):
        distribution("...\n#XT", start)


def test_a_start_inside_an_impenetrable_forbidden_cell_is_refused():
    with pytest.raises(ValueError, match="cannot be entered"):
        distribution("...\n#XT", (1, 1), Settings(forbidden="wall"))


def test_a_grid_without_a_free_cell_is_refused():
    with pytest.raises(ValueError, match="no free cell to start from"):
        distribution("T#\n##", "marked", Settings(target="terminal"))

"""Layouts from arrays: what is left out, what is refused, and how a place is pointed at."""

import copy
import pickle

import numpy as np
import pytest

from envs.cells import FLOOR, ICE, TARGET, TELEPORT, WALL, Layout


def test_what_is_left_out_holds_nowhere():
    layout = Layout.of([[FLOOR, FLOOR, WALL], [FLOOR, FLOOR, TARGET]])
    assert layout.shape == (2, 3)
    assert layout.n_states == 6
    assert not layout.starts.any()
    assert np.isnan(layout.target_reward).all()
    assert not layout.wind.any()
    assert layout.wind.shape == (2, 3, 2)
    assert (layout.partner == -1).all()
    assert str(layout) == "..#\n..T"


def test_a_layout_is_read_only_and_can_be_copied():
    layout = Layout.of([[FLOOR, TARGET]])
    with pytest.raises(ValueError, match="read-only"):
        layout.kinds[0, 0] = WALL
    for twin in (copy.deepcopy(layout), pickle.loads(pickle.dumps(layout))):  # noqa: S301 - our own bytes
        assert str(twin) == str(layout)
        assert twin.settings == layout.settings


def test_the_arrays_given_are_not_those_kept():
    kinds = np.array([[FLOOR, TARGET]], np.uint8)
    layout = Layout.of(kinds)
    kinds[0, 0] = WALL
    assert layout.kinds[0, 0] == FLOOR


@pytest.mark.parametrize(
    ("kinds", "arguments", "message"),
    [
        ([FLOOR, TARGET], {}, r"kinds has shape \(2,\); a grid is \[rows, cols\]"),
        ([[FLOOR, 9]], {}, "kinds holds 9"),
        (np.array([[256, TARGET]]), {}, "kinds holds 256; it takes whole numbers from 0 to 5"),
        ([[-1, TARGET]], {}, "kinds holds -1"),
        ([[0.5, TARGET]], {}, r"kinds holds 0\.5"),
        ([[".", "T"]], {}, "kinds has dtype <U1; it holds whole numbers"),
        ([[FLOOR, TARGET]], {"wind": 0.5}, r"wind holds 0\.5; it takes whole numbers from -32768 to 32767"),
        ([[FLOOR, TARGET]], {"wind": 40000}, "wind holds 40000"),
        ([[FLOOR, TARGET]], {"wind": np.nan}, "wind holds nan"),
        ([[FLOOR, TARGET]], {"partner": 2**32 - 1}, "partner holds 4294967295"),
        ([[FLOOR, FLOOR]], {}, "no target; mark at least one"),
        ([[WALL, TARGET]], {"starts": [[True, False]]}, r"cell \(0, 0\) is a start inside a wall"),
        ([[FLOOR, TARGET]], {"target_reward": [[0, np.inf]]}, r"cell \(0, 1\) has an infinite reward"),
        ([[ICE, TARGET]], {}, r"cell \(0, 0\) is ice without a slip probability"),
        ([[ICE, TARGET]], {"ice": [[1.5, 0.0]]}, r"cell \(0, 0\) has ice outside 0 .. 1"),
        ([[TELEPORT, TARGET]], {}, r"cell \(0, 0\) needs a partner"),
        ([[TELEPORT, FLOOR, TARGET]], {"partner": [[1, -1, -1]]}, "leads? back; pair them two by two"),
        ([[TELEPORT, FLOOR, TARGET]], {"partner": [[0, -1, -1]]}, "leads? back"),
        ([[TELEPORT, FLOOR, TARGET]], {"partner": [[7, -1, -1]]}, "leads? back"),
    ],
)
def test_arrays_that_are_no_grid_are_refused(kinds, arguments, message):
    with pytest.raises(ValueError, match=message):
        Layout.of(kinds, **arguments)


def test_arrays_of_another_shape_are_refused():
    good = Layout.of([[FLOOR, TARGET]])
    with pytest.raises(ValueError, match=r"ice has shape \(1, 3\)"):
        Layout(good.kinds, good.starts, good.target_reward, good.wind, np.zeros((1, 3)), good.partner)
    with pytest.raises(ValueError, match=r"wind has shape \(1, 2\)"):
        Layout(good.kinds, good.starts, good.target_reward, np.zeros((1, 2), np.int16), good.ice, good.partner)


def test_a_layout_changes_once_and_keeps_its_size():
    one, other = Layout.of([[FLOOR, TARGET]]), Layout.of([[FLOOR, TARGET, FLOOR]])
    with pytest.raises(ValueError, match="keep the size"):
        Layout.of([[FLOOR, TARGET]], later=other)
    with pytest.raises(ValueError, match="changes once"):
        Layout.of([[FLOOR, TARGET]], later=Layout.of([[FLOOR, TARGET]], later=one))


def test_the_caret_stands_under_the_cell():
    layout = Layout.of([[FLOOR, WALL, TARGET]])
    assert layout.point_at(0, 1) == "    .#T\n     ^"

"""Convergence plots: what is drawn where, and names that cover neither each other nor leave the picture."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Annotation

from rlkit.report.convergence import convergence

K = np.arange(100)
CURVES = {
    "value iteration": (K, 10 * 0.9**K),
    "Gauss–Seidel": (K, 10 * 0.87**K),
    "policy iteration": ([0, 1, 2, 3], [10, 3, 0.2, 0.0]),
    "linear programming": ([1], [1e-12]),
}


def names(figure):
    return [child for child in figure.axes[0].get_children() if isinstance(child, Annotation)]


@pytest.mark.parametrize("log_x", [False, True])
def test_every_curve_is_named_inside_the_picture_and_apart_from_the_others(log_x):
    figure = convergence(CURVES, 0.9, log_x=log_x)
    assert {name.get_text() for name in names(figure)} == {*CURVES, "theory: γᵏ"}
    figure.draw_without_rendering()
    boxes = [name.get_window_extent() for name in names(figure)]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height


def test_the_reference_has_the_promised_slope():
    axes = convergence({"a": (K, 5 * 0.5**K)}, 0.8).axes[0]
    k, line = axes.lines[0].get_data()
    assert line[0] == pytest.approx(5.0)
    assert np.diff(np.log(line)) / np.diff(k) == pytest.approx(np.log(0.8))
    assert axes.get_yscale() == "log"


def test_an_error_of_zero_lies_on_the_floor():
    axes = convergence({"a": ([0, 1, 2], [1.0, 3e-4, 0.0])}).axes[0]
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(1e-4)


def test_only_errors_of_zero_can_be_drawn():
    convergence({"a": ([0, 1], [0.0, 0.0])}, 0.9)


def test_unknown_errors_are_left_out():
    axes = convergence({"a": ([0, 1, 2], [np.nan, 1.0, 0.1])}).axes[0]
    assert axes.lines[0].get_xdata().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("curves", "complaint"),
    [
        ({}, "curves is empty"),
        ({"a": ([], [])}, "curve 'a'"),
        ({"a": ([1, 2], [1.0])}, "curve 'a'"),
        ({"b": ([1], [np.nan])}, "curve 'b' has no finite error"),
    ],
)
def test_what_cannot_be_drawn_is_named(curves, complaint):
    with pytest.raises(ValueError, match=complaint):
        convergence(curves)


def test_a_rate_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="rate is 0"):
        convergence(CURVES, 0.0)

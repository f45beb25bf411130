"""Trajectories as lines: lanes keep passes apart."""

import itertools

from envs.trail import LANE, legs, path


def test_an_edge_used_once_runs_through_the_centres():
    (leg,) = legs([0, 1], 5)
    assert leg.start == (0.5, 0.5)
    assert leg.end == (1.5, 0.5)
    assert leg.lane == (0.0, 0.0)
    assert path([leg]) == [[(0.5, 0.5), (1.5, 0.5)]]


def test_there_and_back_keep_to_the_right():
    there, back = legs([0, 1, 0], 5)
    assert there.lane == (0.0, LANE / 2)  # going right, the right hand is below
    assert back.lane == (0.0, -LANE / 2)


def test_repetitions_take_lanes_further_out():
    lanes = [leg.lane for leg in legs([0, 1, 6, 5] * 2 + [0, 1], 5)]
    assert lanes[0][1] < lanes[4][1] < lanes[8][1]
    assert len({lanes[0], lanes[4], lanes[8]}) == 3


def test_staying_is_no_leg_and_a_jump_is_marked():
    found = legs([0, 0, 1, 1, 24], 5)
    assert [leg.jump for leg in found] == [False, True]


def test_the_line_is_connected_and_stays_near_its_cells():
    walk = [0, 1, 2, 1, 0, 5, 6, 7, 6, 1, 0]
    found = legs(walk, 5)
    pieces = path(found)
    for one, other in itertools.pairwise(pieces):
        assert abs(one[-1][0] - other[0][0]) + abs(one[-1][1] - other[0][1]) < 1e-12
    for leg, points in zip(found, pieces, strict=True):
        left, right = sorted((leg.start[0], leg.end[0]))
        top, bottom = sorted((leg.start[1], leg.end[1]))
        assert all(left - 0.5 < x < right + 0.5 and top - 0.5 < y < bottom + 0.5 for x, y in points)

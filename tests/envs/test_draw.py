"""Pictures of grids: facts about single pixels and cells."""

import numpy as np
import pytest

from envs import palette
from envs.draw import decimals, draw
from envs.layouts import load, parse, random_layout

BOOK = load("book-5x5")
MAP = parse(
    """
    S.~A#
    .X.^A
    3...T

    u: wind up 2
    """
)


def cell_of(picture, row, col, size):
    return picture[row * size : (row + 1) * size, col * size : (col + 1) * size]


def corner(picture, row, col, size):
    """A pixel near the lower left corner of a cell, where no mark stands."""
    return tuple(cell_of(picture, row, col, size)[-size // 8, size // 8].tolist())


def count(cell, colour):
    return int(np.all(cell == colour, axis=2).sum())


def centre_of(cell, colour):
    rows, cols = np.nonzero(np.all(cell == colour, axis=2))
    return rows.mean() - (len(cell) - 1) / 2, cols.mean() - (len(cell) - 1) / 2


def mirrored(cell, other):
    """Equal up to a fraction of a pixel along the edges of what is drawn."""
    return np.abs(cell.astype(int) - other).mean() < 1.0


def one_action(action, n_actions=5):
    policy = np.zeros((25, n_actions))
    policy[12, action] = 1.0
    return policy


@pytest.mark.parametrize(
    ("name", "size"), [("book-2x2", 120), ("book-5x5", 120), ("cliff", 66), ("windy", 80), ("four-rooms", 61)]
)
def test_shape_type_and_automatic_size(name, size):
    layout = load(name)
    rows, cols = layout.shape
    picture = draw(layout)
    assert picture.shape == (rows * size, cols * size, 3)
    assert picture.dtype == np.uint8


def test_every_kind_of_cell_has_its_colour():
    picture = draw(MAP, cell=60)
    assert corner(picture, 0, 0, 60) == palette.FLOOR
    assert corner(picture, 0, 2, 60) == palette.ICE
    assert corner(picture, 0, 4, 60) == palette.WALL
    assert corner(picture, 1, 1, 60) == palette.FORBIDDEN
    assert corner(picture, 2, 4, 60) == palette.TARGET
    assert corner(picture, 2, 0, 60) == palette.TARGET


def test_a_wall_fills_its_cell_to_the_last_pixel():
    assert np.all(cell_of(draw(MAP, cell=60), 0, 4, 60) == palette.WALL)


def test_marks_are_drawn_and_two_ends_of_a_teleporter_look_the_same():
    picture = draw(MAP, cell=60)
    for row, col, colour in ((2, 4, palette.WHITE), (2, 0, palette.WHITE), (0, 2, palette.SHEEN)):
        assert count(cell_of(picture, row, col, 60), colour) > 20
    assert count(cell_of(picture, 0, 3, 60), palette.PORTALS[0]) > 50
    assert np.array_equal(cell_of(picture, 0, 3, 60), cell_of(picture, 1, 4, 60))
    wind = cell_of(picture, 1, 3, 60)
    assert not np.array_equal(wind, cell_of(picture, 2, 2, 60))
    assert mirrored(wind, wind[:, ::-1])  # a chevron that points up
    assert not mirrored(wind, wind[::-1])


def test_the_agent_stands_in_the_middle_of_its_cell_only():
    picture, empty = draw(BOOK, agent=3), draw(BOOK)
    changed = np.any(picture != empty, axis=2)
    rows, cols = np.nonzero(changed)
    assert rows.min() >= 0
    assert rows.max() < 120
    assert cols.min() >= 360
    assert cols.max() < 480
    assert abs(rows.mean() - 59.5) < 1
    assert abs(cols.mean() - 419.5) < 1
    assert count(cell_of(picture, 0, 3, 120), palette.AGENT) > 1500


@pytest.mark.parametrize(("action", "down", "right"), [(0, -1, 0), (1, 0, 1), (2, 1, 0), (3, 0, -1)])
def test_an_arrow_points_where_the_policy_says(action, down, right):
    both = one_action(action)
    both[12, 4] = 1.0  # staying as well: the arrow then begins in the middle
    row, col = centre_of(cell_of(draw(parse(".....\n.....\n.....\n.....\n....T"), policy=both), 2, 2, 120), palette.INK)
    assert np.sign(round(row / 5)) == down
    assert np.sign(round(col / 5)) == right


@pytest.mark.parametrize(("action", "down", "right"), [(4, -1, 1), (5, 1, 1), (6, 1, -1), (7, -1, -1)])
def test_diagonal_arrows(action, down, right):
    policy = one_action(action, 8)
    policy[12, (action - 4 + 0) % 4] = 1e-9  # too small to be drawn
    cell = cell_of(draw(parse(".....\n.....\n.....\n.....\n....T"), policy=policy), 2, 2, 120)
    ink = np.all(cell == palette.INK, axis=2)
    if down == right:
        ink = ink[:, ::-1]
    rows, cols = np.nonzero(ink)
    assert np.abs(rows + cols - 119).max() < 20  # on the rising diagonal, its mirror image included


def test_several_optimal_actions_are_several_arrows_and_nothing_draws_nothing():
    plain = parse(".....\n.....\n.....\n.....\n....T")
    all_four = np.zeros((25, 5))
    all_four[12, :4] = 0.25
    cell = cell_of(draw(plain, policy=all_four), 2, 2, 120)
    assert mirrored(cell, cell[::-1])
    assert mirrored(cell, cell[:, ::-1])
    assert mirrored(cell, cell.swapaxes(0, 1))
    assert count(cell, palette.INK) > 500
    assert np.array_equal(cell_of(draw(plain, policy=all_four), 1, 1, 120), cell_of(draw(plain), 1, 1, 120))


def test_less_probable_actions_get_shorter_arrows():
    plain = parse(".....\n.....\n.....\n.....\n....T")
    policy = np.zeros((25, 5))
    policy[12] = (0.1, 0.6, 0.1, 0.1, 0.1)
    rows, cols = np.nonzero(np.all(cell_of(draw(plain, policy=policy), 2, 2, 120) == palette.INK, axis=2))
    assert cols.max() - 60 > 1.8 * (60 - cols.min())
    assert abs((rows.max() - 60) - (60 - rows.min())) <= 1


def test_a_mask_and_equal_probabilities_draw_the_same():
    mask = np.zeros((25, 5), np.bool_)
    mask[:, 1:3] = True
    assert np.array_equal(draw(BOOK, policy=mask), draw(BOOK, policy=mask / 2))


def test_values_colour_the_cells_from_pale_to_deep():
    picture = draw(BOOK, value=np.arange(25.0))
    assert corner(picture, 0, 0, 120) == palette.RAMP[0]
    assert corner(picture, 4, 4, 120) == palette.RAMP[-1]
    assert corner(picture, 2, 2, 120) == palette.RAMP[4]  # forbidden too: a frame tells, not the fill
    assert count(cell_of(picture, 2, 2, 120), palette.WARNING) > 800


def test_limits_fix_the_colours():
    picture = draw(BOOK, value=np.full(25, 5.0), limits=(0.0, 10.0))
    assert corner(picture, 0, 0, 120) == palette.RAMP[4]
    assert corner(draw(BOOK, value=np.full(25, 5.0)), 0, 0, 120) == palette.RAMP[0]


def test_outliers_do_not_take_the_colours_of_a_large_grid():
    layout = random_layout(100, 100, 0.0, seed=0)
    value = np.linspace(0, 1, 10_000)
    value[50] = -1e6
    picture = draw(layout, value=value, cell=3)
    assert np.abs(picture[150, 1].astype(int) - palette.RAMP[4]).max() < 6
    assert picture[1, 151].tolist() == list(palette.RAMP[0])


def test_numbers_are_written_where_there_is_room():
    assert count(cell_of(draw(BOOK, value=np.arange(25.0)), 0, 0, 120), palette.INK) > 50
    assert count(cell_of(draw(BOOK, value=np.arange(25.0), cell=20), 0, 0, 20), palette.INK) == 0


@pytest.mark.parametrize(
    ("values", "digits"), [([0.5, 1.2], 2), ([5.83, -3.5], 1), ([120.5, 3.0], 0), ([-14.0, 3.0], 0), ([], 0)]
)
def test_decimals(values, digits):
    assert decimals(np.array(values)) == digits


def test_cells_where_nothing_is_decided_keep_their_colour():
    cliff = load("cliff")
    picture = draw(cliff, value=np.zeros(48), policy=np.ones((48, 4)))
    assert corner(picture, 3, 5, 66) == palette.FORBIDDEN  # it sends the agent back: nobody stands here
    assert corner(picture, 3, 11, 66) == palette.TARGET  # it ends the episode
    assert np.array_equal(cell_of(picture, 3, 5, 66), cell_of(draw(cliff), 3, 5, 66))


def test_small_cells_are_exact_blocks():
    layout = random_layout(200, 200, 0.3, seed=1, forbidden_density=0.05)
    picture = draw(layout)
    assert picture.shape == (800, 800, 3)
    blocks = picture[:760].reshape(190, 4, 200, 4, 3)  # above the star of the target in the last row
    assert np.all(blocks == blocks[:, :1, :, :1])
    assert np.array_equal(np.all(blocks[:, 0, :, 0] == palette.WALL, axis=2), layout.kinds[:190] == 1)
    assert np.array_equal(np.all(blocks[:, 0, :, 0] == palette.FORBIDDEN, axis=2), layout.kinds[:190] == 2)


def test_a_grid_larger_than_the_picture_gets_one_pixel_per_cell():
    layout = random_layout(900, 1000, 0.2, seed=1)
    picture = draw(layout, value=np.arange(900_000.0), trajectory=[0, 1, 2], agent=5)
    assert picture.shape == (900, 1000, 3)
    assert np.array_equal(np.all(picture[300] == palette.WALL, axis=1), layout.kinds[300] == 1)


def test_a_trajectory_passes_its_cells_and_no_others():
    changed = np.any(draw(BOOK, trajectory=[0, 5, 10, 11]) != draw(BOOK), axis=2)
    touched = changed.reshape(5, 120, 5, 120).sum(axis=(1, 3)) > 100
    assert {tuple(cell) for cell in np.argwhere(touched).tolist()} == {(0, 0), (1, 0), (2, 0), (2, 1)}


def test_the_same_arguments_give_the_same_picture():
    walk = [0, 1, 2, 1, 0, 5, 6, 6, 11]
    assert np.array_equal(draw(BOOK, trajectory=walk, agent=11), draw(BOOK, trajectory=walk, agent=11))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"value": np.zeros(24)}, r"value has shape \(24,\)"),
        ({"policy": np.zeros((24, 5))}, r"policy has shape \(24, 5\)"),
        ({"policy": np.zeros(25)}, r"policy has shape \(25,\)"),
        ({"policy": np.full((25, 5), -0.1)}, "policy holds -0.1"),
        ({"policy": np.ones((25, 3))}, "the policy has 3 actions"),
        ({"policy": np.ones((25, 2)), "actions": ("up", "jump")}, "'jump' is unknown"),
        ({"agent": 25}, "state 25"),
        ({"trajectory": [0, -1]}, "state -1"),
        ({"cell": 0}, "cell is 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw(BOOK, **arguments)

"""The map language: every mark means what the alphabet says, every mistake is shown in its line."""

import numpy as np
import pytest

from envs.cells import FLOOR, FORBIDDEN, ICE, TARGET, TELEPORT, WALL
from envs.maps import parse


def test_every_mark_of_the_alphabet():
    layout = parse(".#XSTG\n19~^>v\n<A..A.")
    assert layout.kinds.tolist() == [
        [FLOOR, WALL, FORBIDDEN, FLOOR, TARGET, TARGET],
        [TARGET, TARGET, ICE, FLOOR, FLOOR, FLOOR],
        [FLOOR, TELEPORT, FLOOR, FLOOR, TELEPORT, FLOOR],
    ]
    assert np.argwhere(layout.starts).tolist() == [[0, 3]]
    assert layout.target_reward[1, :2].tolist() == [1, 9]
    assert np.isnan(layout.target_reward[0, 4:]).all()
    assert layout.ice[1, 2] == 2 / 3
    assert np.isnan(np.delete(layout.ice.ravel(), 8)).all()
    assert layout.wind[1, 3:].tolist() == [[-1, 0], [0, 1], [1, 0]]
    assert layout.wind[2, 0].tolist() == [0, -1]
    assert layout.partner[2].tolist() == [-1, 16, -1, -1, 13, -1]


def test_text_and_lines_and_indented_text_are_the_same_map():
    one = parse("S..\n.#T")
    other = parse(["S..", ".#T"])
    third = parse("""
        S..
        .#T
    """)
    assert str(one) == str(other) == str(third) == "S..\n.#T"


def test_a_single_line_is_a_map():
    assert parse("S.T").shape == (1, 3)


def test_the_legend_gives_marks_a_meaning():
    layout = parse(
        "aub\nsit\nT#.\n\na: target 2.5\nb: forbidden\nu: wind up 2\ns: start, wind left\ni: ice 0.25\nt: target -3, wind down-right 3\n#: floor\n"
    )
    assert layout.kinds[:2].tolist() == [[TARGET, FLOOR, FORBIDDEN], [FLOOR, ICE, TARGET]]
    assert layout.kinds[2, 1] == FLOOR
    assert layout.target_reward[0, 0] == 2.5
    assert layout.target_reward[1, 2] == -3
    assert layout.ice[1, 1] == 0.25
    assert layout.starts[1, 0]
    assert layout.wind[0, 1].tolist() == [-2, 0]
    assert layout.wind[1, 0].tolist() == [0, -1]
    assert layout.wind[1, 2].tolist() == [3, 3]


def test_wind_of_columns_and_rows():
    layout = parse("...\n..T\n\ncolumns: up 0 1 2\nrows: left 0 3")
    assert layout.wind[..., 0].tolist() == [[0, -1, -2], [0, -1, -2]]
    assert layout.wind[..., 1].tolist() == [[0, 0, 0], [-3, -3, -3]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the map is empty; give at least one row"),
        ("...\n..\n..T", "map line 2 has 2 cells, the first row has 3; make all rows equally long\n    ..\n      ^"),
        ("..\n...\n.T", "map line 2 has 3 cells, the first row has 2; make all rows equally long\n    ...\n      ^"),
        (
            "...\n.?T",
            "map line 2, column 2 holds '?', which means nothing; use . # X S T 1-9 ^ > v < ~ or capital letters in pairs, or explain it in a legend\n    .?T\n     ^",
        ),
        (". .\n..T", "map line 1, column 2 holds ' ', which means nothing"),
        ("\n\n...\n.xT", "map line 4, column 2 holds 'x'"),
        ("...\n...", "the map has no target; put a T where the agent should go, here perhaps\n    ...\n      ^"),
        (
            ".A.\n..T",
            "map line 1, column 2 is the teleporter A, found 1 time(s); a teleporter needs exactly two cells; put A in a second cell, or replace it\n    .A.\n     ^",
        ),
        ("AA.\n.AT", "map line 2, column 2 is the teleporter A, found 3 time(s); a teleporter needs exactly two cells"),
        (".T\n\nab: wall", "map line 3 (legend):\n    ab: wall\n    ^\nwrite CHARACTER: MEANING"),
        (".T\n\nwall", "map line 3 (legend):\n    wall\n    ^\nwrite CHARACTER: MEANING"),
        (".T\n\na: lava", "map line 3 (legend):\n    a: lava\n       ^\na cell is floor, wall, forbidden"),
        (".T\n\na: start,", "map line 3 (legend)"),
        (".T\n\na: target much", "'much' is not a finite number"),
        (".T\n\na: target nan", "'nan' is not a finite number"),
        (".T\n\na: ice 2", "a cell is floor, wall, forbidden, target [REWARD], ice [PROBABILITY]"),
        (".T\n\na: wind up 1.5", "a wind's strength is a whole number, not '1.5'"),
        (".T\n\na: wind north 1", "a cell is floor"),
        (".T\n\ncolumns: up 1", "1 numbers for 2 columns; give one for each"),
        (".T\n\nrows: up 1 1", "2 numbers for 1 rows; give one for each"),
        (".T\n\ncolumns: north 1 1", "the direction is one of up, right, down"),
        (".T\n\nS: wall\nb: start, wall\n", None),
        ("bT\n\nb: start, wall\n", "cell (0, 0) is a start inside a wall; move the start\n    #T\n    ^"),
    ],
)
def test_a_mistake_is_shown_in_its_line(text, message):
    if message is None:
        parse(text)
        return
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        parse(text)
    assert message in str(error.value)

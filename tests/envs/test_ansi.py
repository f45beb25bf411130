"""Grids as text: exact drawings, and equal widths whatever is drawn."""

import textwrap
import unicodedata

import numpy as np
import pytest

from envs.ansi import ansi
from envs.layouts import NAMED, load, parse

BOOK = load("book-5x5")


def drawing(text):
    return textwrap.dedent(text).strip("\n")


def widths(text):
    assert not any(unicodedata.east_asian_width(letter) in "WF" or unicodedata.combining(letter) for letter in text)
    return {len(line) for line in text.split("\n")}


def test_a_layout_with_its_agent():
    assert ansi(BOOK, agent=0) == drawing(
        """
        ┌───────────┐
        │ ● . . . . │
        │ . X X . . │
        │ . . X . . │
        │ . X T X . │
        │ . X . . . │
        └───────────┘
        """
    )


def test_values_and_every_optimal_action():
    value = [9.0, 10.0, 10.0, 10.0]
    policy = np.array([[0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]])
    policy[0, 1] = 1
    assert ansi(load("book-2x2"), value=np.array(value) / 10 * 9.5, policy=policy) == drawing(
        """
        ┌───────────────────┐
        │   8.6 →↓ X 9.5 ↓  │
        │   9.5 →  T 9.5 ○  │
        └───────────────────┘
        """
    )


def test_walls_run_together_and_marks_follow_the_map():
    layout = parse("S#~A\n.##B\nBv<A\n..T5")
    assert ansi(layout) == drawing(
        """
        ┌─────────┐
        │ S █ ~ A │
        │ . ███ B │
        │ B v < A │
        │ . . T T │
        └─────────┘
        """
    )


def test_an_unlikely_action_is_left_out():
    policy = np.full((25, 5), 0.06)
    policy[:, 3] = 0.76
    text = ansi(BOOK, policy=policy)
    assert text.count("←") == 25
    assert "↑" not in text


@pytest.mark.parametrize("name", [name for name in NAMED if name != "random"])
def test_all_lines_are_equally_wide(name):
    layout = load(name)
    rng = np.random.default_rng(0)
    value = rng.normal(scale=50, size=layout.n_states)
    policy = rng.random((layout.n_states, 9)) < 0.3
    for drawn in (
        ansi(layout),
        ansi(layout, agent=0),
        ansi(layout, value=value),
        ansi(layout, policy=policy),
        ansi(layout, value=value, policy=policy, agent=1),
    ):
        assert len(widths(drawn)) == 1


def test_cells_stand_in_columns():
    rng = np.random.default_rng(1)
    drawn = ansi(BOOK, value=rng.normal(size=25) * 30, policy=rng.random((25, 5)) < 0.4).split("\n")[1:-1]
    pitch = (len(drawn[0]) - 3) // 5
    assert {line[1 + k * pitch] for line in drawn for k in range(6)} == {" "}
    points = [[i for i, letter in enumerate(line) if letter == "."] for line in drawn]
    assert all(row == points[0] for row in points)


def test_no_colour_unless_asked_or_on_a_terminal(monkeypatch):
    assert "\x1b" not in ansi(BOOK, value=np.arange(25.0))
    coloured = ansi(BOOK, value=np.arange(25.0), colour=True)
    assert "\x1b[48;2;250;246;223" in coloured
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert ansi(BOOK, value=np.arange(25.0)) == coloured
    assert "\x1b" not in ansi(BOOK, value=np.arange(25.0), colour=False)


def test_colour_changes_nothing_else():
    import re

    value = np.arange(25.0)
    plain, coloured = ansi(BOOK, value=value, colour=False), ansi(BOOK, value=value, agent=None, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_an_agent_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="state 25"):
        ansi(BOOK, agent=25)

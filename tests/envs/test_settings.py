"""Settings refuse what is no reward, no probability or no choice, and say what to do."""

import numpy as np
import pytest

from envs.settings import MOVES, Settings


def test_the_defaults_are_the_books_rules():
    s = Settings()
    assert (s.r_boundary, s.r_forbidden, s.r_target, s.r_step) == (-1, -1, 1, 0)
    assert (s.target, s.forbidden, s.slip) == ("continuing", "penalty", 0)
    assert s.action_names == ("up", "right", "down", "left", "stay")


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        (4, "up right down left"),
        (5, "up right down left stay"),
        (8, "up right down left up-right down-right down-left up-left"),
        (9, "up right down left up-right down-right down-left up-left stay"),
        (["left", "stay", "right"], "left stay right"),
        (np.int64(4), "up right down left"),
    ],
)
def test_action_sets_have_the_promised_order(actions, names):
    assert " ".join(Settings(actions=actions).action_names) == names


def test_moves_point_where_their_names_say():
    assert MOVES["up"] == (-1, 0)
    assert MOVES["right"] == (0, 1)
    assert MOVES["down-left"] == (1, -1)
    assert MOVES["stay"] == (0, 0)


@pytest.mark.parametrize(
    ("argument", "value", "remedy"),
    [
        ("r_step", float("nan"), "finite number"),
        ("r_target", "1", "finite number"),
        ("r_boundary", float("inf"), "finite number"),
        ("r_forbidden", True, "finite number"),
        ("slip", 1.5, "between 0 and 1"),
        ("slip", -0.1, "between 0 and 1"),
        ("gust", 2, "between 0 and 1"),
        ("slip_model", "diagonal", "'perpendicular', 'uniform'"),
        ("target", "absorbing", "'continuing', 'terminal'"),
        ("forbidden", "pit", "'penalty', 'wall', 'restart', 'terminal'"),
        ("actions", 6, "4, 5, 8, 9 or a sequence of names"),
        ("actions", True, "4, 5, 8, 9"),
        ("actions", (), "sequence of names"),
        ("actions", ("left", "jump"), "up, right, down, left"),
        ("actions", ("left", "left"), "name each once"),
        ("actions", "left", "sequence of names"),
        ("change_at", 0, "1 or more"),
        ("change_at", 2.5, "1 or more"),
    ],
)
def test_a_bad_setting_is_refused_by_name_with_a_remedy(argument, value, remedy):
    with pytest.raises(ValueError, match=argument) as error:
        Settings(**{argument: value})
    assert remedy in str(error.value)


def test_a_uniform_slip_needs_another_action_to_slip_into():
    with pytest.raises(ValueError, match="at least 2 actions"):
        Settings(slip=0.1, slip_model="uniform", actions=("right",))
    assert Settings(slip=0.1, actions=("right",)).slip == 0.1

"""Named layouts are the book's and Sutton & Barto's, with their numbers; `load` says what it could not find."""

import numpy as np
import pytest

from envs.cells import FORBIDDEN, TARGET, WALL
from envs.gridworld import GridWorld
from envs.layouts import NAMED, load, parse, random_layout


def optimal(env, gamma, sweeps=5000):
    """Value iteration over the transitions, [S]."""
    t = env.transitions
    v = np.zeros(env.layout.n_states)
    for _ in range(sweeps):
        q = np.add.reduceat(t.prob * (t.reward + gamma * (1 - t.terminated) * v[t.next_state]), t.indptr[:-1])
        v, old = q.reshape(-1, env.n_actions).max(axis=1), v
        if np.abs(v - old).max() < 1e-13:
            break
    return v


def places(mask):
    return [(int(row) + 1, int(col) + 1) for row, col in np.argwhere(mask)]


@pytest.mark.parametrize(
    ("name", "shape", "forbidden", "target"),
    [
        ("book-2x2", (2, 2), [(1, 2)], [(2, 2)]),
        ("book-3x3", (3, 3), [(2, 3), (3, 1)], [(3, 3)]),
        ("book-5x5", (5, 5), [(2, 2), (2, 3), (3, 3), (4, 2), (4, 4), (5, 2)], [(4, 3)]),
        ("book-line", (1, 2), [], [(1, 2)]),
    ],
)
def test_the_books_worlds(name, shape, forbidden, target):
    layout = NAMED[name]()
    assert layout.shape == shape
    assert places(layout.kinds == FORBIDDEN) == forbidden
    assert places(layout.kinds == TARGET) == target
    assert layout.settings.target == "continuing"


def test_figure_3_4a_optimal_values_of_the_5x5():
    v = optimal(GridWorld("book-5x5"), 0.9)
    assert v.reshape(5, 5).round(1).tolist() == [
        [5.8, 5.6, 6.2, 6.5, 5.8],
        [6.5, 7.2, 8.0, 7.2, 6.5],
        [7.2, 8.0, 10.0, 8.0, 7.2],
        [8.0, 10.0, 10.0, 10.0, 8.0],
        [7.2, 9.0, 10.0, 9.0, 8.1],
    ]
    np.testing.assert_allclose(v[:5], [5.832, 5.58, 6.2, 6.48, 5.832], atol=1e-10)
    assert v.mean() == pytest.approx(7.79936, abs=1e-10)


def test_figure_3_4d_forbidden_cells_that_cost_10():
    v = optimal(GridWorld("book-5x5", r_forbidden=-10), 0.9)
    assert v.reshape(5, 5).round(1).tolist() == [
        [3.5, 3.9, 4.3, 4.8, 5.3],
        [3.1, 3.5, 4.8, 5.3, 5.9],
        [2.8, 2.5, 10.0, 5.9, 6.6],
        [2.5, 10.0, 10.0, 10.0, 7.3],
        [2.3, 9.0, 10.0, 9.0, 8.1],
    ]


def test_figure_8_6_the_uniform_policys_mean_value():
    t = GridWorld("book-5x5").transitions
    kernel = np.zeros((25, 25))
    np.add.at(kernel, (np.repeat(np.arange(25), 5), t.next_state), 0.2 * t.prob)
    v = np.linalg.solve(np.eye(25) - 0.9 * kernel, t.reward.reshape(25, 5).mean(axis=1))
    assert v.mean() == pytest.approx(-3.52, abs=0.005)


def test_the_2x2_policies_of_chapter_2():
    t = GridWorld("book-2x2").transitions
    r, s_next = t.reward.reshape(4, 5), t.next_state.reshape(4, 5)
    down, right, stay = 2, 1, 4
    for first, expected in (([down], 9), ([right], 8), ([down, right], 8.5)):
        pi = np.zeros((4, 5))
        pi[0, first] = 1 / len(first)
        pi[[1, 2, 3], [down, right, stay]] = 1
        kernel = np.zeros((4, 4))
        np.add.at(kernel, (np.repeat(np.arange(4), 5), s_next.ravel()), pi.ravel())
        v = np.linalg.solve(np.eye(4) - 0.9 * kernel, (pi * r).sum(axis=1))
        np.testing.assert_allclose(v, [expected, 10, 10, 10])


def test_the_two_cell_line_of_chapter_4():
    env = GridWorld("book-line")
    assert env.settings.action_names == ("left", "stay", "right")
    t = env.transitions
    left = 0
    r, s_next = t.reward.reshape(2, 3)[:, left], t.next_state.reshape(2, 3)[:, left]
    v = np.zeros(2)
    sweeps = []
    for _ in range(400):
        v = r + 0.9 * v[s_next]
        sweeps.append(v)
    np.testing.assert_allclose(sweeps[0], [-1, 0])
    np.testing.assert_allclose(sweeps[1], [-1.9, -0.9])
    np.testing.assert_allclose(sweeps[-1], [-10, -9])


def test_windy_gridworld_takes_15_moves_and_7_with_kings_moves():
    assert optimal(GridWorld("windy"), 1.0)[3 * 10] == -15
    assert optimal(GridWorld("windy-kings"), 1.0)[3 * 10] == -7
    assert optimal(GridWorld("windy-kings", actions=9), 1.0)[3 * 10] == -7


def test_left_from_right_of_the_windy_goal_lands_above_it():
    env = GridWorld("windy")
    env.reset(options={"state": 3 * 10 + 8})
    assert env.step(3) == (2 * 10 + 7, -1.0, False, False, {})


def test_stochastic_wind_is_off_by_one_a_third_of_the_time_each_way():
    env = GridWorld("windy-stochastic")
    s, right = 3 * 10 + 3, 1  # wind 1
    outcomes = {s_next: p for p, s_next, _, _ in env.P[s][right]}
    assert outcomes == {
        34: pytest.approx(1 / 3),
        24: pytest.approx(1 / 3),
        14: pytest.approx(1 / 3),
    }
    assert env.P[30][right] == [(1.0, 31, -1.0, False)]  # no wind, no gust


def test_the_cliff_costs_100_leads_to_the_start_and_does_not_end_the_episode():
    env = GridWorld("cliff")
    assert env.reset() == (36, {})
    assert env.step(1) == (36, -100.0, False, False, {})
    env.reset(options={"state": 2 * 12 + 5})
    assert env.step(2) == (36, -100.0, False, False, {})
    env.reset(options={"state": 2 * 12 + 11})
    assert env.step(2) == (47, -1.0, True, False, {})
    assert optimal(env, 1.0)[36] == -13


def test_the_dyna_maze_takes_14_steps():
    env = GridWorld("dyna-maze")
    assert (env.layout.kinds == WALL).sum() == 7
    assert optimal(env, 0.95)[2 * 9] == pytest.approx(0.95**13)


@pytest.mark.parametrize(
    ("name", "change_at", "before", "after"), [("dyna-blocking", 1000, 10, 16), ("dyna-shortcut", 3000, 16, 10)]
)
def test_the_changing_mazes_have_sutton_and_bartos_shortest_paths(name, change_at, before, after):
    env = GridWorld(name)
    start = 5 * 9 + 3
    assert env.settings.change_at == change_at
    assert optimal(env, 0.95)[start] == pytest.approx(0.95 ** (before - 1))
    later = GridWorld(env.layout.later)
    assert optimal(later, 0.95)[start] == pytest.approx(0.95 ** (after - 1))


def test_four_rooms_has_104_cells_and_moves_that_fail_one_time_in_three():
    env = GridWorld("four-rooms")
    kinds = env.layout.kinds
    assert (kinds != WALL).sum() == 104
    middle = 3 * 13 + 3
    assert sorted((p, s) for p, s, _, _ in env.P[middle][0]) == [
        (pytest.approx(1 / 9), middle - 1),
        (pytest.approx(1 / 9), middle + 1),
        (pytest.approx(1 / 9), middle + 13),
        (pytest.approx(2 / 3), middle - 13),
    ]
    assert (optimal(env, 0.99)[(kinds != WALL).ravel() & (kinds != TARGET).ravel()] > 0).all()


def test_every_named_layout_says_its_name():
    for name, make in NAMED.items():
        assert make().name == name


def test_load_takes_a_name_a_text_lines_a_file_and_a_layout(tmp_path):
    text = "S.\n.T"
    file = tmp_path / "small.txt"
    file.write_text(text + "\n", encoding="utf-8")
    assert str(load(text)) == str(load(["S.", ".T"])) == str(load(file)) == str(load(str(file))) == text
    assert load(file).name == "small"
    assert load("cliff").shape == (4, 12)
    layout = parse(text)
    assert load(layout) is layout


def test_load_hands_the_arguments_of_a_random_layout_on():
    assert load("random").shape == (20, 20)
    assert str(load("random", rows=6, cols=7, density=0.4, map_seed=3)) == str(random_layout(6, 7, 0.4, 3))
    assert (load("random", density=0.0).kinds == WALL).sum() == 0
    both = load("random", density=0.1, forbidden_density=0.2, map_seed=3)
    assert str(both) == str(random_layout(20, 20, 0.1, 3, forbidden_density=0.2))


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        ("book-4x4", {}, "layout 'book-4x4' is neither a name nor a file; did you mean 'book-"),
        ("S.T", {}, "a map has several lines, or is a list of lines"),
        ("zzz", {}, "the names are book-2x2, book-3x3"),
        (17, {}, "layout is 17; give a name"),
        (["S.", 3], {}, r"layout is \['S\.', 3\]"),
        ("cliff", {"forbidden_density": 0.1}, "forbidden_density is 0.1, but only layout='random' takes it"),
        ("random", {"density": 0.7, "forbidden_density": 0.7}, r"density \+ forbidden_density is 1\.4"),
        ("cliff", {"rows": 3}, "rows is 3, but only layout='random' takes it; the layout is 'cliff'"),
        ("cliff", {"map_seed": 0}, "map_seed is 0"),
        ("cliff", {"density": 0.5}, r"density is 0\.5"),
        ("random", {"rows": 0}, "rows is 0"),
    ],
)
def test_load_says_what_is_wrong(source, arguments, message):
    with pytest.raises(ValueError, match=message):
        load(source, **arguments)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"the map file '.*nowhere\.txt' does not exist"):
        load(tmp_path / "nowhere.txt")

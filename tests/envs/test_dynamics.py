"""Rules and transitions: hand-checked cases, and agreement with a slow twin that reads the definition cell by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.dynamics import expand, make_rules
from envs.gridworld import GridWorld
from envs.layouts import random_layout
from envs.maps import parse
from envs.settings import Settings
from envs.starts import start_distribution
from tests.envs.grid_twin import twin

UP, RIGHT, DOWN, LEFT, STAY = range(5)

PROBABILITIES = st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 1.0])
REWARDS = st.sampled_from([-10.0, -1.0, 0.0, 0.5, 1.0])


@st.composite
def maps(draw):
    rows, cols = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    cells = [draw(st.sampled_from("....##XX~^>v<25T")) for _ in range(rows * cols)]
    places = draw(st.permutations(range(rows * cols)))
    cells[places[0]] = "S" if rows * cols > 1 else "T"
    cells[places[1]] = "T"
    if rows * cols > 5 and draw(st.booleans()):
        cells[places[2]] = cells[places[3]] = "A"
    lines = ["".join(cells[row * cols : (row + 1) * cols]) for row in range(rows)]
    if draw(st.booleans()):
        strengths = [str(draw(st.integers(0, 3))) for _ in range(cols)]
        lines += ["", f"columns: {draw(st.sampled_from(['up', 'down-right', 'left']))} {' '.join(strengths)}"]
    return parse(lines)


@st.composite
def worlds(draw):
    return Settings(
        r_boundary=draw(REWARDS),
        r_forbidden=draw(REWARDS),
        r_target=draw(REWARDS),
        r_step=draw(REWARDS),
        slip=draw(PROBABILITIES),
        slip_model=draw(st.sampled_from(["perpendicular", "uniform"])),
        gust=draw(PROBABILITIES),
        target=draw(st.sampled_from(["continuing", "terminal"])),
        forbidden=draw(st.sampled_from(["penalty", "wall", "restart", "terminal"])),
        actions=draw(st.sampled_from([4, 5, 8, 9, ("left", "stay", "right"), ("up", "up-right")])),
    )


def check_agreement(layout, world):
    """Rules, transitions and twin are the same dynamics, and every row is a distribution over states of the grid."""
    start = start_distribution(layout, world, "marked")
    rules = make_rules(layout, world, start)
    n_actions = len(world.action_names)
    t = expand(rules, n_actions)
    assert rules.rule.dtype == np.int32
    assert [column.dtype.name for column in t] == ["int64", "int32", "float64", "float64", "bool"]
    assert len(t.indptr) == layout.n_states * n_actions + 1
    assert t.indptr[-1] == len(t.next_state) == len(t.prob) == len(t.reward) == len(t.terminated)
    assert (t.prob > 0).all()
    np.testing.assert_allclose(np.add.reduceat(t.prob, t.indptr[:-1]), 1.0, atol=1e-14)
    assert ((t.next_state >= 0) & (t.next_state < layout.n_states)).all()
    for (s, a), outcomes in twin(layout, world, start).items():
        low, high = t.indptr[s * n_actions + a], t.indptr[s * n_actions + a + 1]
        row = rules.rule[s] * n_actions + a
        k = slice(rules.indptr[row], rules.indptr[row + 1])
        assert (s + rules.offset[k]).tolist() == t.next_state[low:high].tolist()
        assert rules.prob[k].tolist() == t.prob[low:high].tolist()
        found = zip(t.next_state[low:high], t.reward[low:high], t.terminated[low:high], strict=True)
        found = {
            (int(s_next), float(r), bool(ends)): float(p)
            for (s_next, r, ends), p in zip(found, t.prob[low:high], strict=True)
        }
        assert len(found) == high - low, "equal outcomes are merged"
        assert found == pytest.approx(outcomes, abs=1e-14), (s, a)


@settings(max_examples=150, deadline=None)
@given(layout=maps(), world=worlds())
def test_rules_agree_with_the_slow_twin_on_random_worlds(layout, world):
    check_agreement(layout, world)


@pytest.mark.parametrize(
    "name",
    [
        "book-2x2",
        "book-3x3",
        "book-5x5",
        "book-line",
        "windy",
        "windy-kings",
        "windy-stochastic",
        "cliff",
        "four-rooms",
        "random",
    ],
)
def test_rules_agree_with_the_slow_twin_on_named_worlds(name):
    env = GridWorld(name)
    check_agreement(env.layout, env.settings)


def rows_of(text, **choices):
    layout = parse(text)
    return GridWorld(layout, **choices).P


def test_rewards_are_tested_in_the_books_order():
    P = rows_of(".X\n.T", r_boundary=-2, r_forbidden=-3, r_target=5, r_step=0.5)
    assert P[0][UP] == [(1.0, 0, -2.0, False)]
    assert P[0][RIGHT] == [(1.0, 1, -3.0, False)]
    assert P[0][DOWN] == [(1.0, 2, 0.5, False)]
    assert P[0][STAY] == [(1.0, 0, 0.5, False)]
    assert P[1][RIGHT] == [(1.0, 1, -2.0, False)]  # a bump pays r_boundary, on a forbidden cell too
    assert P[1][STAY] == [(1.0, 1, -3.0, False)]  # staying on a forbidden cell pays r_forbidden
    assert P[3][DOWN] == [(1.0, 3, -2.0, False)]
    assert P[3][STAY] == [(1.0, 3, 5.0, False)]  # staying on the target pays r_target


def test_a_grid_that_is_not_square_goes_by_rows():
    P = rows_of("....\n...T", r_boundary=-2)
    assert P[1][DOWN] == [(1.0, 5, 0.0, False)]
    assert P[4][UP] == [(1.0, 0, 0.0, False)]
    assert P[3][DOWN] == [(1.0, 7, 1.0, False)]
    assert P[3][RIGHT] == [(1.0, 3, -2.0, False)]
    assert P[4][LEFT] == [(1.0, 4, -2.0, False)]


def test_a_terminal_target_ends_the_episode_and_absorbs():
    P = rows_of(".T", target="terminal")
    assert P[0][RIGHT] == [(1.0, 1, 1.0, True)]
    assert all(P[1][a] == [(1.0, 1, 0.0, True)] for a in range(5))


def test_walls_bounce_and_absorb():
    P = rows_of(".#T", r_boundary=-7)
    assert P[0][RIGHT] == [(1.0, 0, -7.0, False)]
    assert P[2][LEFT] == [(1.0, 2, -7.0, False)]
    assert P[1][RIGHT] == [(1.0, 1, 0.0, True)]


def test_forbidden_cells_as_penalty_wall_restart_and_end():
    arguments = {"r_boundary": -7, "r_forbidden": -3}
    assert rows_of("S.XT", **arguments)[1][RIGHT] == [(1.0, 2, -3.0, False)]
    assert rows_of("S.XT", forbidden="wall", **arguments)[1][RIGHT] == [(1.0, 1, -7.0, False)]
    assert rows_of("S.XT", forbidden="restart", **arguments)[1][RIGHT] == [(1.0, 0, -3.0, False)]
    assert rows_of("S.XT", forbidden="terminal", **arguments)[1][RIGHT] == [(1.0, 2, -3.0, True)]


def test_restart_needs_one_start():
    with pytest.raises(
        ValueError, match=r"which must be one cell, not 2; mark exactly one S or give start=\(row, col\)"
    ):
        rows_of("SSXT", forbidden="restart")


def test_targets_pay_their_own_rewards():
    P = rows_of("9.T\n\nT: target -2", r_target=100)
    assert P[1][LEFT] == [(1.0, 0, 9.0, False)]
    assert P[1][RIGHT] == [(1.0, 2, -2.0, False)]


def test_a_perpendicular_slip_follows_the_same_rules_and_merges_equal_outcomes():
    P = rows_of("..\n.T", slip=0.2)
    assert P[0][RIGHT] == [(0.8, 1, 0.0, False), (0.1, 0, -1.0, False), (0.1, 2, 0.0, False)]
    assert P[0][STAY] == [(1.0, 0, 0.0, False)]  # staying does not slip
    assert rows_of(".T", slip=0.2)[0][LEFT] == [(1.0, 0, -1.0, False)]  # three bumps are one outcome


def test_a_uniform_slip_takes_each_other_action():
    assert sorted(rows_of("..\n.T", slip=0.4, slip_model="uniform")[0][RIGHT]) == [
        (0.1, 0, 0.0, False),  # stay
        (0.1, 2, 0.0, False),  # down
        (pytest.approx(0.2), 0, -1.0, False),  # up and left
        (0.6, 1, 0.0, False),
    ]


def test_diagonal_moves_slip_to_diagonals():
    P = rows_of("...\n...\n..T", slip=0.5, actions=8)
    assert {s for _, s, _, _ in P[4][4]} == {2, 0, 8}  # up-right: up-left or down-right


def test_ice_slips_by_itself():
    P = rows_of("...\n.i.\n..T\n\ni: ice 0.5")
    assert P[4][UP] == [(0.5, 1, 0.0, False), (0.25, 3, 0.0, False), (0.25, 5, 0.0, False)]
    assert P[3][RIGHT] == [(1.0, 4, 0.0, False)]


def test_wind_acts_after_the_move_and_stops_at_walls_and_edges_without_penalty():
    P = rows_of("#..\n...\nu.T\n\nu: wind up 9", r_boundary=-5)
    assert P[6][RIGHT] == [(1.0, 1, 0.0, False)]  # blown to the edge
    assert P[6][STAY] == [(1.0, 3, 0.0, False)]  # blown against the wall
    assert P[6][LEFT] == [(1.0, 3, -5.0, False)]  # the attempt pays, the wind still blows
    assert P[7][LEFT] == [(1.0, 6, 0.0, False)]  # the wind of the cell left, not of the cell reached


def test_wind_blows_as_far_in_each_direction_as_it_is_strong_there():
    P = rows_of("...T\n....\n....\n....\n\ncolumns: up 2 2 2 2\nrows: right 1 1 1 1", gust=0.5)
    assert {s: p for p, s, _, _ in P[12][STAY]} == {5: 0.5, 2: 0.25, 8: 0.25}  # up 2, right 1; up 3, right 2; up 1


def test_teleporters_carry_on_entering_only():
    P = rows_of(".A.\n.#T\n.A.")
    assert P[0][RIGHT] == [(1.0, 7, 0.0, False)]
    assert P[6][RIGHT] == [(1.0, 1, 0.0, False)]
    assert P[1][STAY] == [(1.0, 1, 0.0, False)]
    assert P[1][UP] == [(1.0, 1, -1.0, False)]
    assert P[1][RIGHT] == [(1.0, 2, 0.0, False)]


def test_frozen_lake_is_a_grid_world():
    lake = "S...\n.X.X\n...X\nX..T"
    env = GridWorld(lake, target="terminal", forbidden="terminal", slip=2 / 3, actions=4, r_boundary=0, r_forbidden=0)
    t = env.transitions
    v = np.zeros(16)
    for _ in range(3000):
        v = np.add.reduceat(t.prob * (t.reward + 0.99 * ~t.terminated * v[t.next_state]), t.indptr[:-1])
        v = v.reshape(16, 4).max(axis=1)
    assert v[0] == pytest.approx(0.542026, abs=5e-7)


def test_a_large_grid_has_few_rules():
    layout = random_layout(400, 300, 0.15, 1, forbidden_density=0.1)
    env = GridWorld(layout, actions=4, slip=0.2)
    assert len(env.rules.rule) == 120_000
    assert len(np.unique(env.rules.rule)) == env.rules.rule.max() + 1 < 100
    t = env.transitions  # more than one chunk
    row = np.repeat(np.arange(len(t.indptr) - 1), np.diff(t.indptr))
    k = env.rules.indptr[env.rules.rule[row // 4] * 4 + row % 4] + np.arange(len(row)) - t.indptr[row]
    np.testing.assert_array_equal(t.next_state, row // 4 + env.rules.offset[k])
    np.testing.assert_array_equal(t.prob, env.rules.prob[k])

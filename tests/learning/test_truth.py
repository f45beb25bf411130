"""The judges against answers known otherwise: all policies tried, numbers by hand, the book's 2x2."""

import itertools

import numpy as np
import pytest

import rlkit
from rlkit.learning import truth
from rlkit.learning.truth import control_judge, optimal, prediction_judge, visitable
from rlkit.mdp import from_P
from tests.probes import book_2x2, book_5x5, dense, random_mdp, random_walk, small_grid

UP, RIGHT, DOWN, LEFT, STAY = range(5)


def setting_of(mdp):
    return rlkit.make("q_learning", mdp).setting


def choosing(mdp, actions):
    """Action values whose greedy policy is `actions`."""
    return np.eye(mdp.n_actions)[np.array(actions)]


def best_of_all_policies(mdp, gamma):
    """v* by trying every deterministic policy."""
    P, r, _, _ = dense(mdp)
    states, v = np.arange(mdp.n_states), np.full(mdp.n_states, -np.inf)
    for policy in itertools.product(range(mdp.n_actions), repeat=mdp.n_states):
        v = np.maximum(v, np.linalg.solve(np.eye(len(v)) - gamma * P[states, policy], r[states, policy]))
    return v


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.95])
def test_optimal_values_and_actions_are_those_of_the_best_of_all_policies(gamma):
    rng = np.random.default_rng(4)
    for _ in range(40):
        mdp = random_mdp(rng, max_states=5, max_actions=3)
        P, r, _, _ = dense(mdp)
        wanted = best_of_all_policies(mdp, gamma)
        v, actions = optimal(mdp, gamma)
        np.testing.assert_allclose(v, wanted, atol=1e-11)
        q = r + gamma * P @ wanted
        assert np.array_equal(actions, q >= wanted[:, None] - 1e-9)


def test_optimal_without_discount():
    v, actions = optimal(small_grid(), 1.0)
    away = np.array([[0, 1, 2, 3], [1, 2, 3, 2], [2, 3, 2, 1], [3, 2, 1, 0]])  # steps to the nearer corner
    np.testing.assert_allclose(v, -away.ravel(), atol=1e-12)
    up, down, right, left = actions[6]  # row 1, column 2: three steps to either corner
    assert up and down and right and left  # noqa: PT018 - all lead to a cell two steps away
    assert actions[1].tolist() == [False, False, False, True]
    with pytest.raises(ValueError, match="gamma is 1"):
        optimal(book_5x5(), 1.0)


def test_ties_are_all_optimal():
    v, actions = optimal(book_5x5(), 0.9)
    assert np.array_equal(np.round(v, 1)[:5], [5.8, 5.6, 6.2, 6.5, 5.8])  # the book's table
    assert actions[4].tolist() == [False, False, True, True, False]  # the top right corner: down or left


def test_visitable_states_are_those_that_a_search_finds():
    rng = np.random.default_rng(5)
    lacking = 0
    for _ in range(200):
        mdp = random_mdp(rng)
        P, _, _, start = dense(mdp)
        found = {int(s) for s in np.flatnonzero(start > 0)}
        waiting = list(found)
        while waiting:
            new = {int(s) for s in np.flatnonzero(P[waiting.pop()].max(axis=0) > 0)} - found
            found |= new
            waiting += new
        assert set(np.flatnonzero(visitable(mdp)).tolist()) == found
        lacking += len(found) < mdp.n_states
    assert lacking > 50


# The 2x2: the second cell is forbidden, the fourth the target; at gamma 0.9 v* is 9, 10, 10, 10, and all starts alike.
@pytest.mark.parametrize(
    ("actions", "value", "regret", "best"),
    [
        ([DOWN, DOWN, RIGHT, STAY], 9.75, 0.0, 1.0),
        ([RIGHT, DOWN, RIGHT, STAY], 9.5, 0.25, 0.0),  # through the forbidden cell: -1 + 0.9 * 10 = 8
        ([UP, UP, UP, UP], -9.75, 19.5, 0.0),  # -10, -10, 0.9 * -10, -1 + 0.9 * -10
        ([STAY, STAY, STAY, STAY], (0 - 10 + 0 + 10) / 4, 9.75, 0.0),
    ],
)
def test_greedy_policies_on_the_2x2_by_hand(actions, value, regret, best):
    mdp = book_2x2()
    judge = control_judge(setting_of(mdp), 0.9)
    for _ in range(2):  # the second time it remembers
        found = judge(choosing(mdp, actions))
        assert found["value"] == pytest.approx(value, abs=1e-12)
        assert found["regret"] == pytest.approx(regret, abs=1e-12)
        assert found["optimal"] == best


def test_any_of_several_best_actions_will_do_and_what_nobody_visits_does_not_matter():
    P = [
        [[(1.0, 1, 1.0, False)], [(1.0, 2, 1.0, False)], [(1.0, 0, 0.5, True)]],
        [[(1.0, 1, 2.0, True)], [(1.0, 1, 0.0, True)], [(1.0, 1, 0.0, True)]],
        [[(1.0, 2, 0.0, True)], [(1.0, 2, 2.0, True)], [(1.0, 2, 0.0, True)]],
        [[(1.0, 0, 5.0, True)], [(1.0, 0, 0.0, True)], [(1.0, 0, 0.0, True)]],  # from where no episode starts
    ]
    mdp = from_P(P, [1.0, 0.0, 0.0, 0.0])
    judge = control_judge(setting_of(mdp), 0.5)
    for first in (0, 1):
        assert judge(choosing(mdp, [first, 0, 1, 2])) == {"value": 2.0, "regret": 0.0, "optimal": 1.0}
    assert judge(choosing(mdp, [0, 0, 0, 0]))["optimal"] == 0.0  # in state 2, which other actions lead to
    assert judge(choosing(mdp, [0, 0, 0, 0]))["regret"] == 0.0


def test_a_policy_that_never_ends_is_worth_nothing_at_gamma_1():
    mdp = from_P([[[(1.0, 0, -1.0, False)], [(1.0, 0, -5.0, True)]]])
    judge = control_judge(setting_of(mdp), 1.0)
    assert judge(choosing(mdp, [1])) == {"value": -5.0, "regret": 0.0, "optimal": 1.0}
    assert judge(choosing(mdp, [0])) == {"value": -np.inf, "regret": np.inf, "optimal": 0.0}


def test_there_is_no_judge_without_a_model_an_optimum_or_time(monkeypatch):
    assert control_judge(rlkit.make("q_learning", "Blackjack-v1").setting, 0.9) is None
    assert control_judge(setting_of(book_2x2()), 1.0) is None  # staying on the target pays for ever
    assert prediction_judge(rlkit.make("td0", "Blackjack-v1").setting, 0.9, np.full((704, 2), 0.5)) is None
    monkeypatch.setattr(truth, "LARGE", 3)
    assert control_judge(setting_of(book_2x2()), 0.9) is None
    assert prediction_judge(setting_of(book_2x2()), 0.9, np.full((4, 5), 0.2)) is None


def test_the_error_of_a_prediction_on_the_random_walk():
    true = np.arange(1, 6) / 6  # S&B example 6.2
    judge = prediction_judge(setting_of(random_walk()), 1.0, np.full((5, 2), 0.5))
    assert judge(np.zeros(5))["rmse"] == pytest.approx(np.sqrt(np.mean(true**2)), abs=1e-12)
    assert judge(true + 0.25)["rmse"] == pytest.approx(0.25, abs=1e-12)


def test_the_error_is_that_of_the_states_that_the_policy_visits():
    walk = random_walk()
    middle = walk._replace(start_cdf=np.cumsum(np.eye(5)[2]))
    judge = prediction_judge(setting_of(middle), 1.0, np.tile([0.0, 1.0], (5, 1)))  # always right, worth 1
    assert judge(np.array([9.0, 9.0, 1.0, 1.0, 1.0]))["rmse"] == 0.0
    assert judge(np.array([0.0, 0.0, 1.0, 1.0, 4.0]))["rmse"] == pytest.approx(np.sqrt(3), abs=1e-12)

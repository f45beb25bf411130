"""What all planners share, by value iteration and policy iteration on the book's grid."""

import itertools

import numpy as np
import pytest

from rlkit.agents import policy_iteration, prioritized_sweeping, truncated_policy_iteration, value_iteration
from rlkit.mdp import from_P
from tests.probes import book_2x2, book_5x5
from tests.reference import optimum


def vi(**config):
    return value_iteration.make(book_5x5(), value_iteration.Config(**config))


def test_a_plan_stops_when_it_is_proven():
    agent = vi(tolerance=1e-3)
    assert (agent.step, agent.bound, agent.converged) == (0, np.inf, False)
    reports = list(agent.updates(10_000))
    assert agent.converged
    assert reports[-1].scalars["bound"] <= 1e-3 < reports[-2].scalars["bound"]
    assert [report.step for report in reports] == list(range(1, len(reports) + 1))
    assert reports[-1].scalars["sweeps"] == len(reports) == agent.step
    assert list(agent.updates(10)) == []


def test_updates_give_no_more_rounds_than_asked_for_and_go_on():
    agent = vi()
    assert len(list(agent.updates(3))) == 3
    assert len(list(agent.updates(0))) == 0
    assert len(list(itertools.islice(agent.updates(10), 2))) == 2
    assert agent.step == 5
    whole = vi()
    list(whole.updates(5))
    np.testing.assert_array_equal(agent.v, whole.v)


def test_a_saved_plan_goes_on_as_if_never_stopped():
    for order in ("jacobi", "gauss-seidel", "red-black", "random"):
        whole, first = vi(order=order), vi(order=order)
        list(whole.updates(30))
        list(first.updates(11))
        second = vi(order=order)
        second.load_state_dict(first.state_dict())
        assert (second.step, second.bound) == (first.step, first.bound)
        list(second.updates(19))
        np.testing.assert_array_equal(second.v, whole.v)
        assert (second.step, second.bound) == (whole.step, whole.bound)


def test_a_saved_plan_is_a_copy():
    agent = vi()
    state = agent.state_dict()
    list(agent.updates(3))
    assert not state["v"].any()
    assert state["step"] == 0


def test_a_plan_of_another_size_is_refused():
    small = value_iteration.make(book_2x2(), value_iteration.Config())
    with pytest.raises(ValueError, match="the saved plan has 4 states, this problem 25"):
        vi().load_state_dict(small.state_dict())


def test_acting_and_optimal_actions():
    agent = policy_iteration.make(book_5x5(), policy_iteration.Config())
    list(agent.updates(100))
    best = optimum(book_5x5(), 0.9)
    ties = best.q >= best.q.max(axis=1, keepdims=True) - 1e-9
    np.testing.assert_array_equal(agent.optimal_actions(), ties)
    assert ties.sum() > 25
    assert isinstance(agent.act(0), int)
    np.testing.assert_array_equal(agent.act(np.arange(25)), agent.policy)
    np.testing.assert_array_equal(agent.act(np.arange(24).reshape(2, 12)).ravel(), agent.policy[:24])
    np.testing.assert_array_equal(agent.policy, agent.q().argmax(axis=1))  # the lowest of the best
    assert ties[np.arange(25), agent.policy].all()
    np.testing.assert_allclose(agent.q(), best.q, atol=1e-12)


def test_no_optimal_action_is_ruled_out_on_the_way():
    best = optimum(book_5x5(), 0.9)
    ties = best.q >= best.q.max(axis=1, keepdims=True) - 1e-9
    agent = vi()
    for _ in agent.updates(60):
        assert (agent.optimal_actions() | ~ties).all()


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan"), float("inf")])
def test_a_tolerance_that_cannot_be_reached(tolerance):
    with pytest.raises(ValueError, match=f"tolerance is {tolerance}; it must be positive"):
        vi(tolerance=tolerance)


def test_where_a_free_circle_beats_every_end_the_best_policy_that_ends_is_found():
    """From zero no sweep would find that an end costs; the best of the policies that end is worth -1."""
    lake = from_P([[[(1.0, s, -1.0, True)], [(0.5, s, 0.0, False), (0.5, 1 - s, 0.0, False)]] for s in range(2)])
    waits = from_P([[[(1.0, 0, -1.0, True)], [(0.1, 0, 0.0, False)] * 10], [[(1.0, 0, -1.0, False)]] * 2])
    for world, best in ((lake, [-1.0, -1.0]), (waits, [-1.0, -2.0])):
        for build in (value_iteration, truncated_policy_iteration, prioritized_sweeping, policy_iteration):
            agent = build.make(world, build.Config(gamma=1.0))
            assert len(list(agent.updates(50))) < 50
            assert agent.converged
            np.testing.assert_allclose(agent.v, best, atol=1e-14)


def test_a_tolerance_below_rounding_stops_where_floating_point_does():
    agent = vi(tolerance=1e-300)
    list(agent.updates(10_000))
    assert agent.converged
    assert agent.step < 1000
    best = optimum(book_5x5(), 0.9)
    assert np.abs(agent.v - best.v).max() <= agent.bound + best.error
    assert agent.bound < 1e-12

"""Truncated policy iteration: value iteration at one end, policy iteration at the other, and in between in between."""

import numpy as np
import pytest

from rlkit.agents import policy_iteration
from rlkit.agents.truncated_policy_iteration import Config, make
from tests.probes import book_2x2, book_5x5, random_mdp
from tests.reference import optimum


def test_very_many_evaluations_are_policy_iteration():
    rng = np.random.default_rng(0)
    for mdp in (book_5x5(), *(random_mdp(rng) for _ in range(20))):
        agent = make(mdp, Config(evaluations=2000))
        exact = policy_iteration.make(mdp, policy_iteration.Config())
        exact.plan.policy = agent.policy  # both begin with the greedy policy of v = 0
        for mine, theirs in zip(agent.updates(50), exact.updates(50), strict=False):
            np.testing.assert_allclose(agent.v, exact.v, atol=1e-11)
            assert mine.step == theirs.step


def test_more_evaluations_never_need_more_rounds_on_the_books_grid():
    steps = []
    for evaluations in (1, 2, 5, 20, 100):
        agent = make(book_5x5(), Config(evaluations=evaluations))
        list(agent.updates(1000))
        assert agent.converged
        steps.append(agent.step)
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 5 * steps[-1]


def test_it_climbs_from_below():
    """From v0 <= T v0 every round is at least a round of value iteration (Puterman 6.5.2)."""
    mdp = book_2x2(r_forbidden=0.0, r_boundary=0.0)  # no reward is negative, so that 0 <= T 0
    best = optimum(mdp, 0.9)
    one, ten = make(mdp, Config(evaluations=1)), make(mdp, Config(evaluations=10))
    before = np.zeros(4)
    for _ in zip(one.updates(30), ten.updates(30), strict=False):
        assert (ten.v >= one.v - 1e-14).all()
        assert (ten.v >= before - 1e-14).all()
        assert (ten.v <= best.v + 1e-14).all()
        before = ten.v.copy()


def test_work_is_counted_in_sweeps_over_all_actions():
    agent = make(book_5x5(), Config(evaluations=10))
    (report,) = agent.updates(1)
    assert report.scalars["sweeps"] == 1 + 10 / 5


def test_it_goes_on_after_a_stop():
    whole, first = make(book_5x5(), Config()), make(book_5x5(), Config())
    list(whole.updates(9))
    list(first.updates(4))
    second = make(book_5x5(), Config())
    second.load_state_dict(first.state_dict())
    list(second.updates(5))
    np.testing.assert_array_equal(second.v, whole.v)


def test_no_evaluation_is_refused():
    with pytest.raises(ValueError, match="evaluations is 0; it must be at least 1"):
        make(book_2x2(), Config(evaluations=0))

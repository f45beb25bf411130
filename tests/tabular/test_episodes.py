"""The episode that Monte Carlo keeps: what counts as a visit, what a full buffer says, and that learning leaves it empty."""

import numpy as np
import pytest

from rlkit.tabular.control import Table
from rlkit.tabular.episodes import counts, keep, learn_returns, make_episode
from rlkit.tabular.random import agent_stream
from rlkit.tabular.schedule import schedule

KEYS = [2, 0, 2, 1, 2, 0]


@pytest.mark.parametrize(("visit", "expected"), [("first", {0, 1, 3}), ("every", {0, 1, 2, 3, 4, 5})])
def test_going_back_finds_the_visits_that_count(visit, expected):
    episode = make_episode(6, 3, visit)
    full = [keep(episode, 0, 0, 0.0, key) for key in KEYS]
    assert full == [False] * 5 + [True]
    assert {t for t in reversed(range(6)) if counts(episode, KEYS[t])} == expected
    assert not episode.seen.any()


@pytest.mark.parametrize(("visit", "q", "visits"), [("first", 4.0, 1), ("every", 4.5, 3)])
def test_returns_are_learned_from_and_the_episode_is_empty_again(visit, q, visits):
    # Rewards 1, 2, 4 of one pair, then an estimate of 8, at gamma 0.5: from the back, the returns are 8, 6 and 4. The
    # first visit's is 4; with step 1/2 all of them lead from 0 to 4, 5 and 4.5.
    table = Table(
        np.zeros((2, 3)),
        np.zeros((2, 3), np.int64),
        np.ones(1, np.int64),
        agent_stream(0),
        0.5,
        schedule(1.0 if visit == "first" else 0.5).packed(),
        np.zeros(8),
    )
    episode = make_episode(10, 6, visit)
    for r in (1.0, 2.0, 4.0):
        keep(episode, 1, 2, r, 5)
    learn_returns(table, episode, 8.0)
    wanted = np.zeros((2, 3))
    wanted[1, 2] = q
    assert np.array_equal(table.q, wanted)
    assert table.visits[1, 2] == visits
    assert episode.length[0] == 0
    assert not episode.seen.any()

"""The remembered model: what was seen and how often, and lists of predecessors that follow every change."""

import numpy as np
import pytest

from rlkit.tabular.memory_model import (
    NONE,
    blank,
    draw_pair,
    draw_remembered,
    list_pair,
    no_predecessors,
    remember,
    remember_both_ways,
    size,
)
from rlkit.tabular.random import agent_stream


def leading_to(predecessors, s):
    found, edge, before = [], predecessors.first[s], NONE
    while edge != NONE:
        assert predecessors.before[edge] == before
        found.append(int(edge))
        before, edge = edge, predecessors.after[edge]
    return found


@pytest.mark.parametrize("m", [1, 3, 8])
def test_the_last_outcomes_and_their_predecessors_are_kept(m):
    S, A = 5, 2
    rng = np.random.default_rng(m)
    model, predecessors = blank(S, A, m), no_predecessors(S, A, m)
    history = {(s, a): [] for s in range(S) for a in range(A)}
    for step in range(600):
        s, a, s_next, ends = (int(x) for x in rng.integers([S, A, S, 2]))
        remember_both_ways(model, predecessors, s, a, float(step), s_next, bool(ends))
        history[s, a].append((float(step), s_next, bool(ends)))
        edges = {other: set() for other in range(S)}
        for (i, j), seen in history.items():
            kept = [tuple(x[i, j, k].item() for x in (model.reward, model.s_next, model.terminated)) for k in range(m)]
            assert size(model, i, j) == max(1, min(m, len(seen)))
            assert sorted(kept[: len(seen)]) == seen[-m:]
            for _, successor, over in seen[-m:]:
                if not over:
                    edges[successor].add((i, j))
        for other in range(S):
            found = [(edge // m // A, edge // m % A) for edge in leading_to(predecessors, other)]
            assert len(found) == len(set(found))
            assert set(found) == edges[other]


def test_an_outcome_is_counted_and_a_new_one_takes_the_place_of_the_rarest():
    model = blank(3, 1, 2)
    for r in (1.0, 2.0, 1.0, 1.0):
        remember(model, 0, 0, r, 1, False)
    assert model.times[0, 0].tolist() == [3, 1]
    assert remember(model, 0, 0, 2.0, 1, True) == 1  # another outcome, for it ends
    assert (model.times[0, 0].tolist(), model.seen[0, 0], size(model, 0, 0)) == ([3, 1], 5, 2)
    assert model.terminated[0, 0].tolist() == [False, True]
    last = blank(3, 1, 1)
    for r in (1.0, 2.0, 2.0):
        remember(last, 0, 0, r, 1, False)
    assert (last.reward[0, 0, 0], last.times[0, 0, 0]) == (2.0, 2)


def test_what_was_never_tried_stays_where_it_is_and_pays_nothing():
    model = blank(4, 3, 2)
    assert np.array_equal(model.s_next, np.broadcast_to(np.arange(4)[:, None, None], (4, 3, 2)))
    assert not model.reward.any()
    assert not model.terminated.any()
    assert size(model, 2, 1) == 1


def test_pairs_are_drawn_uniformly_and_outcomes_as_often_as_they_were_seen():
    stream, model = agent_stream(0), blank(6, 4, 5)
    pairs = [(1, 2), (5, 3), (0, 0)]
    for s, a in pairs:
        list_pair(model, s, a)
    drawn = [draw_pair(model, stream) for _ in range(6000)]
    assert set(drawn) == set(pairs)
    assert all(abs(drawn.count(pair) - 2000) < 5 * np.sqrt(6000 * 2 / 9) for pair in pairs)
    model.times[1, 2] = times = np.array([1, 2, 3, 4, 10])
    counts = np.bincount([draw_remembered(model, 1, 2, stream) for _ in range(5000)], minlength=5)
    assert np.all(np.abs(counts - 250 * times) < 5 * np.sqrt(5000 * 4 / 25))
    before = stream.copy()
    assert draw_remembered(model, 0, 1, stream) == 0  # no choice, no number taken
    assert np.array_equal(stream, before)

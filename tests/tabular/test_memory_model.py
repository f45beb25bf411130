"""The remembered model: the last outcomes and no older ones, and lists of predecessors that follow every change."""

import numpy as np
import pytest

from rlkit.tabular.memory_model import (
    NONE,
    blank,
    draw_pair,
    draw_remembered,
    list_pair,
    no_predecessors,
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


def test_what_was_never_tried_stays_where_it_is_and_pays_nothing():
    model = blank(4, 3, 2)
    assert np.array_equal(model.s_next, np.broadcast_to(np.arange(4)[:, None, None], (4, 3, 2)))
    assert not model.reward.any()
    assert not model.terminated.any()
    assert size(model, 2, 1) == 1


def test_draws_are_uniform():
    stream, model = agent_stream(0), blank(6, 4, 5)
    pairs = [(1, 2), (5, 3), (0, 0)]
    for s, a in pairs:
        list_pair(model, s, a)
    drawn = [draw_pair(model, stream) for _ in range(6000)]
    assert set(drawn) == set(pairs)
    assert all(abs(drawn.count(pair) - 2000) < 5 * np.sqrt(6000 * 2 / 9) for pair in pairs)
    model.seen[1, 2] = 17
    counts = np.bincount([draw_remembered(model, 1, 2, stream) for _ in range(5000)], minlength=5)
    assert np.all(np.abs(counts - 1000) < 5 * np.sqrt(5000 * 4 / 25))
    before = stream.copy()
    assert draw_remembered(model, 0, 1, stream) == 0  # no choice, no number taken
    assert np.array_equal(stream, before)

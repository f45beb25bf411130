"""Blocks against brute force: who reads whom, which ranges are independent, and the sweeps of pending blocks, bit by bit."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401 - registers the ids
from rlkit.mdp import from_env, from_P
from rlkit.tabular.blocks import relax
from rlkit.tabular.ends import edges
from rlkit.tabular.model import sparse
from rlkit.tabular.partition import BLOCK, Blocks, partition
from rlkit.tabular.problem import make_problem
from rlkit.team import Team
from tests.probes import random_mdp
from tests.reference import plain_best


def grid(**arguments):
    return from_env(gym.make("GridWorld-v0", layout="random", **arguments))


def teleporting():
    """40 rows of one block each; the teleporter joins the rows 0 and 21, whose ranges have one parity however cut."""
    lines = ["." * 16] * 40
    lines[0] = lines[21] = "." * 15 + "A"
    lines[39] = "." * 15 + "T"
    return from_env(gym.make("GridWorld-v0", layout=lines, actions=4))


def scattered(rng, n_states=700):
    return from_P([[[(1.0, int(rng.integers(n_states)), -1.0, False)] for _ in range(2)] for _ in range(n_states)])


def worlds():
    rng = np.random.default_rng(0)
    yield from (random_mdp(rng, max_states=90) for _ in range(10))
    yield grid(rows=30, cols=17)
    yield grid(rows=5, cols=40)
    yield teleporting()
    yield scattered(rng)


def models():
    for mdp in worlds():
        yield from {type(m): m for m in (sparse(mdp, 0.9), make_problem(mdp, 0.9).model)}.values()


def readers(model):
    """For each block, the other blocks with an action that leads into it."""
    count = -(-model.n_states // BLOCK)
    found = [set() for _ in range(count)]
    for s, _, s_next in zip(*(part.tolist() for part in edges(model)), strict=True):
        if s // BLOCK != s_next // BLOCK:
            found[s_next // BLOCK].add(s // BLOCK)
    return found


def readers_of(blocks):
    rows = [blocks.reader[low:high].tolist() for low, high in zip(blocks.indptr[:-1], blocks.indptr[1:], strict=True)]
    assert all(len(row) == len(set(row)) for row in rows)
    return [set(row) for row in rows]


@pytest.mark.parametrize("threads", [1, 3])
def test_every_reader_is_listed_once(threads):
    kinds = set()
    for model in models():
        listed, needed = readers_of(partition(model, Team(threads))), readers(model)
        kinds.add(type(model).__name__)
        if type(model).__name__ == "Sparse":
            assert listed == needed
        else:  # an idle slot is read with weight zero, which does no harm
            assert all(all_of >= some for all_of, some in zip(listed, needed, strict=True))
    assert kinds == {"Sparse", "Stencil"}


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_ranges_of_one_parity_touch_no_common_block(threads):
    cut_up = 0
    for model in models():
        blocks = partition(model, Team(threads))
        count = len(blocks.indptr) - 1
        assert (blocks.cuts[0], blocks.cuts[-1]) == (0, count)
        ranges = [range(low, high) for low, high in zip(blocks.cuts[:-1], blocks.cuts[1:], strict=True)]
        if len(ranges) == 1:
            continue
        cut_up += 1
        listed = readers_of(blocks)
        reads = [set() for _ in range(count)]  # the blocks that a block reads
        for block, its in enumerate(listed):
            for reader in its:
                reads[reader].add(block)
        for parity in (0, 1):
            writes = [set(part).union(*(listed[block] for block in part)) for part in ranges[parity::2]]  # pending
            values = [set(part) for part in ranges[parity::2]]
            read = [set(part).union(*(reads[block] for block in part)) for part in ranges[parity::2]]
            for i in range(len(values)):
                for j in range(len(values)):
                    if i != j:
                        assert not values[i] & read[j]
                        assert not writes[i] & (writes[j] | values[j])
    assert cut_up == 0 if threads == 1 else cut_up >= 2


def test_teleporters_random_graphs_and_small_worlds_are_one_range():
    rng = np.random.default_rng(1)
    for mdp in (teleporting(), scattered(rng), grid(rows=5, cols=5)):
        blocks = partition(make_problem(mdp, 0.9).model, Team(2))
        assert blocks.cuts == (0, -(-mdp.n_states // BLOCK))


def plain_relax(model, v, pending, blocks, threshold, passes):
    """The passes of one range, in Python, on the arrays given."""
    swept = made = 0
    count = len(pending)
    for _ in range(passes):
        before = swept
        backward = made // 32 % 2 == 0
        for block in reversed(range(count)) if backward else range(count):
            if pending[block] <= threshold:
                continue
            swept += 1
            pending[block] = change = 0.0
            states = list(range(block * BLOCK, min(model.n_states, (block + 1) * BLOCK)))
            ordered = states[::-1] if backward else states
            for s in ordered[::2] + ordered[1::2]:
                value = plain_best(model, v, s)
                change = max(change, abs(value - v[s]))
                v[s] = value
            if change > threshold:
                pending[block] = change
                for reader in blocks.reader[blocks.indptr[block] : blocks.indptr[block + 1]]:
                    pending[reader] = max(pending[reader], change)
        if swept == before:
            break
        made += 1
    return made, swept


def test_the_sweeps_of_one_range_equal_their_twin_to_the_last_bit():
    rng = np.random.default_rng(2)
    for mdp in (*[random_mdp(rng, max_states=70) for _ in range(6)], grid(rows=8, cols=9)):
        for model in (sparse(mdp, 0.9), make_problem(mdp, 0.9).model):
            team = Team(1)
            blocks = partition(model, team)
            start = rng.normal(size=model.n_states)
            v, twin = start.copy(), start.copy()
            pending = np.full(len(blocks.indptr) - 1, np.inf)
            twin_pending = pending.copy()
            for threshold, passes in ((1e-2, 3), (1e-3, 50)):
                found = relax(model, v, pending, blocks, team, threshold, passes)
                assert found == plain_relax(model, twin, twin_pending, blocks, threshold, passes)
                np.testing.assert_array_equal(v, twin)
                np.testing.assert_array_equal(pending, twin_pending)
                pending[:] = twin_pending[:] = np.inf


def test_nothing_pending_means_no_value_changes_by_more_than_the_threshold():
    for mdp in (grid(rows=20, cols=20, slip=0.2), random_mdp(np.random.default_rng(3), max_states=80)):
        model = make_problem(mdp, 0.9).model
        for threads in (1, 2):
            team = Team(threads)
            blocks = partition(model, team)
            v, pending = np.zeros(model.n_states), np.full(len(blocks.indptr) - 1, np.inf)
            made, _ = relax(model, v, pending, blocks, team, 1e-9, 10_000)
            assert made < 10_000
            assert (pending <= 1e-9).all()
            sweep = np.array([plain_best(model, v, s) for s in range(model.n_states)])
            assert np.abs(sweep - v).max() <= 1e-8  # every value it reads may move by a threshold per neighbour pass


def test_threads_do_not_change_the_result_from_run_to_run():
    model = make_problem(grid(rows=60, cols=50, slip=0.2), 0.99).model
    team = Team(2)
    blocks = partition(model, team)
    assert len(blocks.cuts) > 2

    def run():
        v, pending = np.zeros(model.n_states), np.full(len(blocks.indptr) - 1, np.inf)
        counts = relax(model, v, pending, blocks, team, 1e-6, 200)
        return v, pending, counts

    first = run()
    for _ in range(5):
        again = run()
        np.testing.assert_array_equal(again[0], first[0])
        np.testing.assert_array_equal(again[1], first[1])
        assert again[2] == first[2]


def test_more_threads_than_two_agree_on_the_fixed_point():
    model = make_problem(grid(rows=80, cols=40), 0.9).model
    found = []
    for threads in (1, 2, 4):
        team = Team(threads)
        blocks = partition(model, team)
        assert isinstance(blocks, Blocks)
        v, pending = np.zeros(model.n_states), np.full(len(blocks.indptr) - 1, np.inf)
        relax(model, v, pending, blocks, team, 1e-12, 10_000)
        found.append(v)
    np.testing.assert_allclose(found[1], found[0], atol=1e-10)
    np.testing.assert_allclose(found[2], found[0], atol=1e-10)

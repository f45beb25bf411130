"""Traces of weights: the sweep of those that have one equals a sweep of all in plain Python, to the last bit."""

import numpy as np
import pytest

from rlkit.tabular.linear_traces import backup, make_weight_traces
from rlkit.tabular.traces import DENSE, NEGLIGIBLE, clear
from rlkit.tabular.weights import StateWeights

SIZE, TILES, ROWS = 4 * DENSE, 4, 50


def weights(seed, places):
    """Rows of tiles in the first `places` weights, so that one row hits a place twice now and then, as hashing does."""
    rng = np.random.default_rng(seed)
    column = rng.integers(places, size=(ROWS, TILES))
    return StateWeights(
        np.zeros(SIZE), column, np.ones((ROWS, TILES)), np.zeros(1, np.int64), np.zeros((1, 4), np.uint64),
        np.ones((ROWS, 1)), 0.9, np.zeros(7),
    )  # fmt: skip


class Twin:
    """All weights, all traces, S&B sections 12.2, 12.5 and 12.7."""

    def __init__(self, kind, lam):
        self.kind, self.lam = kind, lam
        self.w, self.e, self.old, self.cancelled = [0.0] * SIZE, [0.0] * SIZE, 0.0, 0

    def backup(self, column, alpha, target, ahead, gamma):
        now, raised = 0.0, 0.0
        for i in column:
            now += self.w[i]
            raised += self.e[i]
        error = target - now
        drift = now - self.old if self.kind == "dutch" else 0.0
        step = alpha * (1.0 - raised) if self.kind == "dutch" else alpha
        for place, i in enumerate(column):
            e = self.e[i]
            self.e[i] = step if self.kind == "replacing" else e + step
            self.cancelled += e != 0.0 and self.e[i] == 0.0 and i in column[place + 1 :]
            if self.kind == "dutch":
                self.w[i] -= alpha * drift
        for i in range(SIZE):
            e = self.e[i]
            self.w[i] += (error + drift) * e
            self.e[i] = e * (gamma * self.lam) if abs(e * (gamma * self.lam)) >= NEGLIGIBLE else 0.0
        self.old = ahead


def compare(kind, lam, gamma, alpha, places, steps, seed, cut=40):
    """Run both on random rows and targets, no trace left at every cut; return the twin and the smallest trace."""
    rng = np.random.default_rng(seed)
    memory, twin, lowest = weights(seed, places), Twin(kind, lam), 0.0
    traces = make_weight_traces(SIZE, kind, lam, binary=True)
    for k in range(steps):
        if k % cut == 0:
            clear(traces)
            traces.old[0] = 0.0
            twin.e, twin.old = [0.0] * SIZE, 0.0
        s, ahead = int(rng.integers(ROWS)), float(rng.integers(-2, 3))
        target = float(rng.integers(-2, 3)) + gamma * ahead
        backup(memory.w, traces, memory, s, 0, alpha, target, ahead, gamma)
        twin.backup(memory.column[s].tolist(), alpha, target, ahead, gamma)
        assert np.array_equal(memory.w, twin.w)
        assert np.array_equal(traces.e, twin.e)
        listed = traces.active[: traces.used[0]].tolist()
        assert sorted(listed) == np.flatnonzero(traces.e).tolist(), "each that has a trace is listed once"
        lowest = min(lowest, traces.e.min())
    return twin, lowest


@pytest.mark.parametrize("kind", ["accumulating", "replacing", "dutch"])
def test_sweeping_those_that_have_a_trace_equals_sweeping_all(kind):
    twin, _ = compare(kind, lam=0.6, gamma=0.5, alpha=0.1, places=400, steps=200, seed=0)
    assert np.count_nonzero(twin.e) < len(np.flatnonzero(twin.w)), "some have been dropped"


def test_dutch_traces_may_be_negative():
    _, lowest = compare("dutch", lam=0.9, gamma=0.9, alpha=0.5, places=12, steps=200, seed=1)
    assert lowest < -0.1


def test_a_trace_that_cancels_between_two_of_its_tiles_is_listed_once():
    """With α = 1/2 and γ λ = 1 traces are multiples of powers of 2, and cancel exactly."""
    twin, _ = compare("dutch", lam=1.0, gamma=1.0, alpha=0.5, places=4, steps=300, seed=2, cut=3)
    assert twin.cancelled > 5


def test_features_that_are_not_binary_keep_small_traces():
    """A trace is dropped for what it is beside features of 1; others may be small themselves."""
    memory = weights(3, 400)._replace(phi=np.full((ROWS, TILES), 1e-20))
    traces = make_weight_traces(SIZE, "dutch", 0.9, binary=False)
    backup(memory.w, traces, memory, 0, 0, 0.1, 1.0, 0.0, 0.9)
    assert np.allclose(traces.e[memory.column[0]], 0.1 * 1e-20 * 0.9 * 0.9, rtol=1e-12, atol=0.0)

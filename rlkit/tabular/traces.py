"""Eligibility traces: how much of the next TD error each value that was met before gets; S&B chapter 12 for tables.

A trace e(i) holds the step size too: a visit with step size α adds α, so that a step size that changes belongs to the
visit that it was counted for. Traces below 2⁻⁵³ are dropped: they would move a value by less than the rounding of a TD
error. A small table is swept from end to end, in a large one only the values that have a trace; both give the same
numbers to the last bit.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.control import Table
from rlkit.tabular.jit import kernel

ACCUMULATING, REPLACING, CLEARING, DUTCH = range(4)
KINDS = ("accumulating", "replacing", "clearing", "dutch")
NEGLIGIBLE = 2.0**-53
DENSE = 256  # values up to which sweeping all of them is the faster way


class Traces(NamedTuple):
    """The trace of each of N values."""

    e: Floats  # [N]
    active: Ints  # [N]  the values that have a trace, in the first places; [1], and not used, where all are swept
    used: Ints  # [1]  how many have one
    old: Floats  # [1]  Dutch: what the present value was when the last TD error was taken
    kind: int
    lam: float


class TracedTable(NamedTuple):
    """Action values and their traces, that of (s, a) at s A + a."""

    table: Table
    traces: Traces


def make_traces(size: int, kind: str, lam: float, kinds: Sequence[str] = KINDS) -> Traces:
    """Return no traces of `size` values.

    Args:
        size: N.
        kind: how a visit raises a trace.
        lam: λ.
        kinds: those that the agent has.

    Raises:
        ValueError: naming the argument and its value.
    """
    if kind not in kinds:
        raise ValueError(f"traces is {kind!r}; choose one of {', '.join(map(repr, kinds))}")
    if not 0.0 <= lam <= 1.0:
        raise ValueError(f"lam is {lam}; it must lie between 0 and 1")
    one = np.zeros(1, np.int64)
    active = np.zeros(size if size > DENSE else 1, np.int64)
    return Traces(np.zeros(size), active, one, np.zeros(1), KINDS.index(kind), float(lam))


@kernel
def clear(traces: Any) -> None:
    """Forget all traces."""
    if traces.active.size == 1:
        for k in range(traces.e.size):
            traces.e[np.uintp(k)] = 0.0
        return
    for k in range(traces.used[0]):
        traces.e[np.uintp(traces.active[np.uintp(k)])] = 0.0
    traces.used[0] = 0


@kernel
def clear_others(traces: Any, s: int, a: int, n_actions: int) -> None:
    """Forget the traces of the other actions in s, where a visit to (s, a) does so; `mark` and `sweep` are to follow."""
    if traces.kind == CLEARING:
        for other in range(n_actions):
            if other != a:
                traces.e[np.uintp(s * n_actions + other)] = 0.0


@kernel
def mark(traces: Any, i: int, alpha: float) -> float:
    """Raise the trace of the value that is visited, and return it; `sweep` is to follow.

    Accumulating: e + α; replacing: α; Dutch: e + α (1 - e), with the α in e, S&B (12.11).
    """
    at = np.uintp(i)
    e = traces.e[at]
    if e == 0.0 and traces.active.size > 1:
        traces.active[np.uintp(traces.used[0])] = i
        traces.used[0] += 1
    if traces.kind == ACCUMULATING:
        e += alpha
    elif traces.kind == DUTCH:
        e = (1.0 - alpha) * e + alpha
    else:
        e = alpha
    traces.e[at] = e
    return float(e)


@kernel
def sweep(values: Floats, traces: Any, error: float, decay: float) -> None:
    """Move each value by its trace times the error, v ← v + δ e, and let the traces decay, e ← γ λ e.

    Args:
        values: [N].
        traces: theirs.
        error: δ.
        decay: γ λ.
    """
    if traces.active.size == 1:
        for k in range(values.size):
            i = np.uintp(k)
            e = traces.e[i]
            values[i] += error * e
            e *= decay
            traces.e[i] = e if e >= NEGLIGIBLE else 0.0
        return
    kept = 0
    for k in range(traces.used[0]):
        i = np.uintp(traces.active[np.uintp(k)])
        e = traces.e[i]
        values[i] += error * e
        e *= decay
        keep = e >= NEGLIGIBLE
        traces.e[i] = e if keep else 0.0
        traces.active[np.uintp(kept)] = np.int64(i)
        kept += keep
    traces.used[0] = kept


@kernel
def backup(values: Floats, traces: Any, i: int, alpha: float, target: float, ahead: float, gamma: float) -> None:
    """Let the TD error of the value that is visited move all values that have a trace.

    Accumulating and replacing, S&B sections 12.2 and 12.7: v ← v + δ e with δ = v̄ - v(s). Dutch is true online TD(λ),
    van Seijen & Sutton 2014, S&B section 12.5: v ← v + (δ + v(s) - v_old) e, and v(s) besides by - α (v(s) - v_old).

    Args:
        values: [N].
        traces: theirs.
        i: the value that is visited.
        alpha: its step size.
        target: v̄ = r + discount · ahead.
        ahead: the value to be visited next, as it is in the target.
        gamma: the discount.
    """
    at = np.uintp(i)
    now = values[at]
    error = target - now
    e = mark(traces, i, alpha)
    decay = gamma * traces.lam
    if traces.kind != DUTCH:
        sweep(values, traces, error, decay)
        return
    drift = now - traces.old[0]
    sweep(values, traces, error + drift, decay)
    values[at] = now + (error * e + drift * (e - alpha))
    traces.old[0] = ahead

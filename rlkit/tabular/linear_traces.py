"""Eligibility traces of weights: how much of the next TD error each of them gets; S&B chapter 12.

A trace e(i) holds the step size too, as in `rlkit.tabular.traces`. Where few features are active, only the weights that
have a trace are swept, and a trace below 2⁻⁵³ in absolute value (Dutch ones can be negative) is dropped.
"""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.jit import kernel
from rlkit.tabular.traces import DUTCH, KINDS, NEGLIGIBLE, REPLACING, Traces, make_traces
from rlkit.tabular.weights import ActionWeights, StateWeights


class TracedStates(NamedTuple):
    """Weights [d] of state values and their traces."""

    weights: StateWeights
    traces: Traces


class TracedActions(NamedTuple):
    """Weights [A, d] of action values and their traces, that of w[a, i] at a d + i."""

    weights: ActionWeights
    traces: Traces


def make_weight_traces(size: int, kind: str, lam: float, *, binary: bool) -> Traces:
    """Return no traces of `size` weights.

    Args:
        size: N.
        kind: "accumulating", "replacing" or "dutch".
        lam: λ.
        binary: whether features are 0 or 1, few of them 1.

    Raises:
        ValueError: naming the argument and its value.
    """
    if kind == "replacing" and not binary:
        raise ValueError(
            "traces is 'replacing', which is for features that are 0 or 1: one-hot, aggregate, tiles; take 'accumulating' or 'dutch'"
        )
    found = make_traces(size, kind, lam, tuple(one for one in KINDS if one != "clearing"))
    return found if binary else found._replace(active=np.zeros(1, np.int64))


@kernel
def sweep(w: Floats, traces: Any, error: float, decay: float) -> None:
    """Move each weight by its trace times the error, w ← w + δ e, and let the traces decay, e ← γ λ e.

    Args:
        w: [N].
        traces: theirs.
        error: δ.
        decay: γ λ.
    """
    if traces.active.size == 1:
        for k in range(w.size):
            i = np.uintp(k)
            e = traces.e[i]
            w[i] += error * e
            traces.e[i] = e * decay
        return
    kept = 0
    for k in range(traces.used[0]):
        i = np.uintp(traces.active[np.uintp(k)])
        e = traces.e[i]
        w[i] += error * e
        e *= decay
        keep = abs(e) >= NEGLIGIBLE
        traces.e[i] = e if keep else 0.0
        traces.active[np.uintp(kept)] = np.int64(i)
        kept += keep
    traces.used[0] = kept


@kernel
def _came_before(column: Ints, row: int, i: int) -> bool:
    """Whether hashing gave the feature's place to an earlier one of the row, in which its trace may have cancelled to zero."""
    k = 0
    while column[np.uintp(row), np.uintp(k)] != column[np.uintp(row), np.uintp(i)]:
        k += 1
    return k < i


@kernel
def backup(
    w: Floats, traces: Any, weights: Any, s: int, first: int, alpha: float, target: float, ahead: float, gamma: float
) -> None:
    """Let the TD error of the value that is visited move all weights that have a trace.

    Accumulating, S&B (12.5)-(12.7): e ← e + α x, w ← w + δ e with δ = v̄ - xᵀw; replacing: e_i = α where x_i = 1.
    Dutch, true online TD(λ), S&B section 12.5: e ← e + α (1 - eᵀx) x, w ← w + (δ + xᵀw - v_old) e - α (xᵀw - v_old) x.

    Args:
        w: [N].
        traces: theirs.
        weights: holds the feature table, whose row s is x.
        s: the state that is visited.
        first: where the weights of x begin in w.
        alpha: the step size.
        target: v̄ = r + discount · ahead.
        ahead: the value to be visited next, as it is in the target.
        gamma: the discount.
    """
    row = np.uintp(s)
    now, raised = 0.0, 0.0
    for i in range(weights.column.shape[1]):
        at = np.uintp(first + weights.column[row, np.uintp(i)])
        x = weights.phi[row, np.uintp(i)]
        now += w[at] * x
        raised += traces.e[at] * x
    error = target - now
    drift = now - traces.old[0] if traces.kind == DUTCH else 0.0
    step = alpha * (1.0 - raised) if traces.kind == DUTCH else alpha
    for i in range(weights.column.shape[1]):
        at = np.uintp(first + weights.column[row, np.uintp(i)])
        x = weights.phi[row, np.uintp(i)]
        e = traces.e[at]
        if e == 0.0 and step != 0.0 and traces.active.size > 1 and not _came_before(weights.column, s, i):
            traces.active[np.uintp(traces.used[0])] = np.int64(at)
            traces.used[0] += 1
        traces.e[at] = step * x if traces.kind == REPLACING else e + step * x
        if traces.kind == DUTCH:
            w[at] -= alpha * drift * x
    sweep(w, traces, error + drift, gamma * traces.lam)
    traces.old[0] = ahead

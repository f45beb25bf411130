"""The two forms in which a world's dynamics are kept: `Rules`, short, and `Transitions`, written out."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK: Final = 1 << 16  # states written out at a time, which bounds the memory beside the result


class Rules(NamedTuple):
    """p(s', r | s, a), which depends on s only through rule[s]; the successor is s + offset."""

    rule: NDArray[np.int32]  # [S]
    indptr: NDArray[np.int64]  # [R*A + 1]  row rule * A + action owns the outcomes indptr[row] .. indptr[row + 1]
    offset: NDArray[np.int32]  # [K]
    prob: NDArray[np.float64]  # [K]
    reward: NDArray[np.float64]  # [K]
    terminated: NDArray[np.bool_]  # [K]


class Transitions(NamedTuple):
    """The same written out state by state, in compressed rows s * A + a."""

    indptr: NDArray[np.int64]  # [S*A + 1]
    next_state: NDArray[np.int32]  # [N]
    prob: NDArray[np.float64]  # [N]
    reward: NDArray[np.float64]  # [N]
    terminated: NDArray[np.bool_]  # [N]


def expand(rules: Rules, n_actions: int) -> Transitions:
    """Write rules out for every state."""
    n_states = len(rules.rule)
    width = np.diff(rules.indptr).reshape(-1, n_actions)  # [R, A]
    indptr = np.zeros(n_states * n_actions + 1, np.int64)
    for begin in range(0, n_states, CHUNK):
        states = slice(begin, begin + CHUNK)
        rows = slice(begin * n_actions + 1, (begin + CHUNK) * n_actions + 1)
        indptr[rows] = width[rules.rule[states]].ravel()
    np.cumsum(indptr, out=indptr)
    n = int(indptr[-1])
    out = Transitions(indptr, np.empty(n, np.int32), np.empty(n), np.empty(n), np.empty(n, np.bool_))
    for begin in range(0, n_states, CHUNK):
        rule = rules.rule[begin : begin + CHUNK]
        row = (rule[:, None] * np.int64(n_actions) + np.arange(n_actions)).ravel()
        count = width.ravel()[row]
        first = begin * n_actions
        low, high = int(indptr[first]), int(indptr[first + len(row)])
        k = np.arange(high - low) + np.repeat(rules.indptr[row] - (indptr[first : first + len(row)] - low), count)
        origin = np.repeat(np.arange(begin, begin + len(rule)), count.reshape(-1, n_actions).sum(axis=1))
        out.next_state[low:high] = origin + rules.offset[k]
        out.prob[low:high] = rules.prob[k]
        out.reward[low:high] = rules.reward[k]
        out.terminated[low:high] = rules.terminated[k]
    return out

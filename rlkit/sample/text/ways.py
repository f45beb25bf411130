"""The best action in each state with so many turns left: backward induction in a finite MDP, without discount."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit.mdp import MDP

_EQUAL = 1e-9


class Ways:
    """v_h(s) = max_a Σ p (r + v_{h-1}(s')), v_0 = 0.

    Of actions that are equally good with h turns left, the best is the one that is better with fewer, so that nothing is put off.

    Args:
        mdp: the model; None where there is none.
        turns: the largest h.
    """

    def __init__(self, mdp: MDP | None, turns: int) -> None:
        self.q: list[NDArray[np.float64]] = []  # [S, A] for h = 1, 2, ...
        if mdp is None:
            return
        v = np.zeros(mdp.n_states)
        for _ in range(turns):
            outcome = mdp.prob * (mdp.reward + np.where(mdp.terminated, 0.0, v[mdp.next_state]))
            self.q.append(np.add.reduceat(outcome, mdp.indptr[:-1]).reshape(mdp.n_states, mdp.n_actions))
            v = self.q[-1].max(axis=1)

    def best(self, obs: Any, left: int) -> int | None:
        """Return the best action in a state with `left` turns left; None without a model."""
        if not self.q:
            return None
        best = np.ones(self.q[0].shape[1], np.bool_)
        for q in self.q[left - 1 :: -1]:
            values = np.where(best, q[int(obs)], -np.inf)
            best &= values >= values.max() - _EQUAL
        return int(best.argmax())

    def value(self, obs: Any, left: int) -> float:
        """Return what can be earned from a state with `left` turns left; NaN without a model."""
        return float(self.q[left - 1][int(obs)].max()) if self.q else np.nan

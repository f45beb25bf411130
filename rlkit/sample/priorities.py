"""Priorities: transitions drawn the more often the more they surprised; Schaul et al., arXiv:1511.05952, proportional variant."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit.sample.replay import Indices, Replay
from rlkit.sample.sum_tree import SumTree

Floats = NDArray[np.float64]
_LEAST = 1e-6  # ε, so that nothing is never drawn


class Priorities:
    """p_i = (|δ_i| + ε)^α of every transition of a replay; a new one has the highest so far, so that it is drawn soon.

    Args:
        replay: whose transitions they are.
        alpha: α, 0 for none.
    """

    def __init__(self, replay: Replay, alpha: float) -> None:
        self.replay, self.alpha = replay, alpha
        self.highest = 1.0
        self._tree = SumTree((replay.rows + 1) * replay.count)

    def see(self) -> None:
        """Take note of the step that the replay has just remembered; where the next one will stand, what was there is forgotten."""
        rows = self.replay.row_of(np.array([self.replay.filled - 1, self.replay.filled]))
        leaves = (rows[:, None] * self.replay.count + np.arange(self.replay.count)).ravel()
        self._tree.set(leaves, np.repeat([self.highest, 0.0], self.replay.count))

    def draw(self, rng: np.random.Generator, batch: int, beta: float) -> tuple[Indices, Indices, Floats]:
        """Draw transitions, one from each of `batch` equal stretches of the mass: rows, worlds, and weights, all [B].

        The weights are those of importance sampling, w_i = (N P(i))^-β / max_j w_j, section 3.4.
        """
        mass = (np.arange(batch) + rng.random(batch)) * (self._tree.total / batch)
        leaves = self._tree.find(mass)
        weights = (self._tree.priorities[leaves] * (len(self.replay) / self._tree.total)) ** -beta
        rows, worlds = np.divmod(leaves, self.replay.count)
        return rows, worlds, weights / weights.max()

    def update(self, rows: Indices, worlds: Indices, errors: Floats) -> None:
        """Give transitions the priorities of their errors δ [B]."""
        priorities = (np.abs(errors) + _LEAST) ** self.alpha
        self.highest = max(self.highest, float(priorities.max()))
        self._tree.set(rows * self.replay.count + worlds, priorities)

    def state_dict(self) -> dict[str, Any]:
        """Return all priorities."""
        return {"highest": self.highest, "priorities": self._tree.priorities.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.highest = float(state["highest"])
        self._tree.set(np.arange(self._tree.size), np.asarray(state["priorities"]))

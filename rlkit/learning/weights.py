"""The memories of linear agents, made for a setting and a configuration, and the values that their weights give."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Floats
from rlkit.learning.basis import Basis, LinearControl, LinearPrediction
from rlkit.learning.config import exploration, step_sizes
from rlkit.learning.setting import Setting
from rlkit.learning.truth import Judge
from rlkit.tabular.prediction import cumulated
from rlkit.tabular.random import Stream
from rlkit.tabular.schedule import Schedule
from rlkit.tabular.weights import ActionWeights, StateWeights, tabulate


def step_size(config: Any) -> Schedule:
    """Read the step size, which lies in (0, 1] and counts steps.

    Raises:
        ValueError: naming the value.
    """
    return counting_steps(step_sizes(config), "alpha", config.alpha)


def counting_steps(found: Schedule, field: str, text: object) -> Schedule:
    """Return a schedule that counts steps.

    Raises:
        ValueError: it counts the visits of states.
    """
    if found.per_visit:
        raise ValueError(
            f"{field} is {text!r}, which counts the visits of a state; a linear agent counts steps: write k for n"
        )
    return found


def state_weights(config: LinearPrediction, table: Basis, pi: Floats) -> Callable[[Stream], StateWeights]:
    """Return what makes the memory of state values for one run; pi [R, A] is the policy that acts."""
    alpha, w, cdf = step_size(config).packed(), table.weights(config.initial), cumulated(pi)

    def make(stream: Stream) -> StateWeights:
        clock = np.zeros(1, np.int64)
        column, phi = table.column.copy(), table.phi.copy()
        return StateWeights(w.copy(), column, phi, clock, stream, cdf.copy(), float(config.gamma), alpha)

    return make


def action_weights(config: LinearControl, setting: Setting, table: Basis) -> Callable[[Stream], ActionWeights]:
    """Return what makes the memory of action values for one run.

    Raises:
        ValueError: naming the way to explore that needs the visits of states.
    """
    if config.explore == "ucb":
        raise ValueError(
            "explore is 'ucb', which counts the visits of a state; a linear agent has 'epsilon-greedy' and 'softmax'"
        )
    explore = exploration(config)
    level = "temperature" if config.explore == "softmax" else "epsilon"
    counting_steps(explore.level, level, getattr(config, level))
    alpha, w = step_size(config).packed(), np.tile(table.weights(config.initial), (setting.n_actions, 1))

    def make(stream: Stream) -> ActionWeights:
        clock, q = np.zeros(1, np.int64), np.zeros((1, setting.n_actions))
        column, phi = table.column.copy(), table.phi.copy()
        return ActionWeights(w.copy(), column, phi, clock, stream, q, float(config.gamma), alpha, explore.packed())

    return make


def action_values(memory: Any) -> Floats:
    """Return q of all rows, [R, A]."""
    q = np.empty((len(memory.column), len(memory.w)))
    tabulate(memory.w, memory, q)
    return q


def state_values(memory: Any) -> Floats:
    """Return v of all rows, [R]."""
    return values_with(memory.w, memory)


def values_with(w: Floats, memory: Any) -> Floats:
    """Return φ(s)ᵀw of all rows, [R], w [d]."""
    v = np.empty((len(memory.column), 1))
    tabulate(w[None], memory, v)
    return v[:, 0]


def watched(judge: Judge | None) -> Judge:
    """Return a judge that says `diverged`, 1 where a value is not finite any more, and that such values do not crash."""

    def look(values: NDArray[np.float64]) -> dict[str, float]:
        broken = not bool(np.isfinite(values).all())
        if judge is None:
            return {"diverged": float(broken)}
        with np.errstate(over="ignore", invalid="ignore"):
            scalars = judge(values)
        if broken and "rmse" in scalars:
            scalars["rmse"] = np.inf
        return scalars | {"diverged": float(broken)}

    return look


def feature_matrix(memory: Any, size: int) -> Floats:
    """Return φ of all rows, [R, d]; pairs with the same index add up."""
    found = np.zeros((len(memory.column), size))
    np.add.at(found, (np.arange(len(memory.column))[:, None], memory.column), memory.phi)
    return found

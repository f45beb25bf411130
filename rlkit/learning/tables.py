"""The memories of tabular agents, made for a setting and a configuration."""

from collections.abc import Callable

import numpy as np

from rlkit.arrays import Floats
from rlkit.learning.config import Control, Prediction, exploration, step_sizes
from rlkit.learning.setting import Setting
from rlkit.tabular.control import Table
from rlkit.tabular.prediction import Values, cumulated
from rlkit.tabular.random import Stream


def action_table(setting: Setting, config: Control) -> Callable[[Stream], Table]:
    """Return what makes the memory of action values for one run."""
    shape = setting.n_states, setting.n_actions
    alpha, explore = step_sizes(config).packed(), exploration(config).packed()

    def make(stream: Stream) -> Table:
        q, visits = np.full(shape, config.initial, np.float64), np.zeros(shape, np.int64)
        return Table(q, visits, np.zeros(1, np.int64), stream, float(config.gamma), alpha, explore)

    return make


def state_values(setting: Setting, config: Prediction, pi: Floats) -> Callable[[Stream], Values]:
    """Return what makes the memory of state values for one run; pi [S, A] is the policy that acts."""
    alpha, cdf = step_sizes(config).packed(), cumulated(pi)

    def make(stream: Stream) -> Values:
        v, visits = np.full(setting.n_states, config.initial, np.float64), np.zeros(setting.n_states, np.int64)
        return Values(v, visits, np.zeros(1, np.int64), stream, cdf.copy(), float(config.gamma), alpha)

    return make


def action_values(table: Table) -> Floats:
    """Return q, [S, A]."""
    return table.q


def values_of(values: Values) -> Floats:
    """Return v, [S]."""
    return values.v

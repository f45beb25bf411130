"""The observation as a row of a feature table, which is computed once for all states or row by row."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.config import Control, Learning, Prediction
from rlkit.learning.features import read_map
from rlkit.learning.inputs import inputs, states_of, where
from rlkit.learning.maps import Map, function_map, function_name
from rlkit.learning.policy import read_policy
from rlkit.learning.setting import Environment, Observe, Observer, Setting, checked, finite, survey
from rlkit.mdp import MDP
from rlkit.tabular.schedule import Rate

FALLING = "linear(0.1, 0.001, 8000000)"  # the step size of on-policy agents: in short runs 0.1
ROWS = 3  # of infinitely many states: the last two of the run, and the one that is acted upon


@dataclass(frozen=True)
class Featured(Learning):
    """Fields of agents that see features of an observation."""

    features: str = "auto"  # feature map: "one-hot", "tiles(8, 8x8)", ...; in Python also a function of the observation
    bounds: str = ""  # "low:high, low:high, ...", one for each number observed; those of the space if left out


@dataclass(frozen=True)
class LinearControl(Featured, Control):
    """Fields of linear agents that improve a policy."""

    alpha: Rate = 0.1  # step size: a number, "1/(k+10)", "linear(0.5, 0.01, 10000)"; 0.1 / m where m tiles are active


@dataclass(frozen=True)
class LinearPrediction(Featured, Prediction):
    """Fields of linear agents that learn the value of a policy."""

    alpha: Rate = 0.1  # step size: a number, "1/(k+10)", "linear(0.5, 0.01, 10000)"; 0.1 / m where m tiles are active


Config = TypeVar("Config", bound=Featured)


@dataclass(frozen=True)
class Basis:
    """The feature table that a memory begins with: row s holds φ(s) as pairs of an index and a value."""

    size: int  # d
    column: Ints  # [R, m]
    phi: Floats  # [R, m]
    finite: bool  # whether the rows are the states
    binary: bool  # whether features are 0 or 1, few of them 1
    one: Floats  # [d] weights with which every value is 1; [0] where there are none

    def weights(self, initial: float) -> Floats:
        """Return the weights [d] whose values are `initial` everywhere.

        Raises:
            ValueError: there are none.
        """
        if initial != 0.0 and not len(self.one):
            raise ValueError(f"initial is {initial}; with these features no weights give that value everywhere")
        return initial * self.one if len(self.one) else np.zeros(self.size)


def basis(
    env: Environment, config: Config, weights: Callable[[Any], Any] = lambda memory: memory
) -> tuple[Setting, Basis, Config]:
    """Look at a world through features.

    Args:
        env: the world.
        config: the features among it.
        weights: gives the part of a memory that holds the feature table.

    Returns:
        The setting; its feature table; the configuration, a function among its fields replaced by its name.

    Raises:
        ValueError: the features do not fit the observations, or `config` is not for this world.
    """
    phi: Any = config.features
    named = replace(config, features=function_name(phi)) if callable(phi) else config
    state = states_of(env if isinstance(env, MDP) else checked(env))
    if state is not None:
        setting = finite(env, config)
        found = function_map(phi, state(0)) if callable(phi) else read_map(phi, inputs(env, config.bounds))
        return setting, _whole_table(found, env, config, setting.n_states), named
    world = checked(env)
    found = function_map(phi, _example(world)) if callable(phi) else read_map(phi, inputs(env, config.bounds))
    table = Basis(
        found.size, np.tile(found.column, (ROWS, 1)), np.tile(found.phi, (ROWS, 1)), False, found.binary, found.one
    )
    return survey(world, config, ROWS, _observer(found, where(env), weights)), table, named


def _whole_table(found: Map, env: Environment, config: Featured, n_states: int) -> Basis:
    column, phi = np.tile(found.column, (n_states, 1)), np.tile(found.phi, (n_states, 1))
    state: Any = states_of(env) if callable(config.features) else inputs(env, config.bounds).states.__getitem__
    for s in range(n_states):
        if not found.encode(state(s), column, phi, s):
            raise ValueError(f"a feature of state {s} is not finite")
    return Basis(found.size, column, phi, True, found.binary, found.one)


def _example(env: gym.Env[Any, Any]) -> Any:
    space = deepcopy(env.observation_space)  # a draw of the environment's own would move its random numbers
    space.seed(0)
    return space.sample()


def _observer(found: Map, name: str, weights: Callable[[Any], Any]) -> Observer:
    encode = found.encode

    def observer(memory: Any) -> Observe:
        held = weights(memory)
        column, phi, clock = held.column, held.phi, held.clock

        def observe(obs: Any, row: int) -> int:
            if not encode(obs, column, phi, row):
                raise ValueError(
                    f"{name} gave the observation {obs} in step {clock[0] + 1}; its features are not finite"
                )
            return row

        return observe

    return observer


def policy_of(config: Any, setting: Setting, table: Basis, name: str = "policy") -> Floats:
    """Return the probabilities [R, A] of a policy of the configuration.

    Raises:
        ValueError: it is no policy for the setting.
    """
    policy = getattr(config, name)
    if not table.finite and policy != "uniform":
        raise ValueError(f'{name} is {policy!r}; where there are infinitely many states it can only be "uniform"')
    return read_policy(policy, setting, config.gamma, name)

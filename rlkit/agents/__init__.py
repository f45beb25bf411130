"""One file, one algorithm, one name: `make("value_iteration", env)` builds what `value_iteration.py` holds."""

import dataclasses
import importlib
import os
import pkgutil
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np

from rlkit.agent import Agent
from rlkit.sample.config import Studies


def names() -> list[str]:
    """Return the names of all agents."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """Return the module of an agent: its `Config` and its `make(env, config, seed)`.

    Raises:
        ValueError: no agent has that name.
    """
    if name not in names():
        raise ValueError(f"there is no agent {name!r}; the agents are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def make(name: str, env: Any, *, seed: int = 0, **config: Any) -> Agent:
    """Build an agent, as `gym.make` builds an environment: `make("q_learning", "GridWorld-v0", alpha=0.1)`.

    Args:
        name: the agent's name, one of `names()`.
        env: an environment, the id of one, or (for planners) an `MDP`; for agents that learn from what was written a `Corpus`, a `Language`,
            or the name of a model.
        seed: of everything random in the agent.
        config: fields of the agent's `Config`; arrays and lists become tuples, which can be compared and kept in a file.

    Raises:
        ValueError: unknown agent or unknown field.
    """
    module = load(name)
    fields = [field.name for field in dataclasses.fields(module.Config)]
    for key in config:
        if key not in fields:
            raise ValueError(f"{name} has no option {key!r}; its options are {', '.join(fields)}")
    chosen = module.Config(**{key: _frozen(value) for key, value in config.items()})
    agent: Agent = module.make(_world(env, chosen, seed) if isinstance(env, str) else env, chosen, seed)
    return agent


def _world(name: str, config: Any, seed: int) -> Any:
    if not isinstance(config, Studies):
        return gym.make(name)
    from rlkit.sample.opening import open_corpus  # noqa: PLC0415 - torch is loaded for those who need it

    return open_corpus(name, config.data, seed)


def _frozen(value: Any) -> Any:
    """Return arrays and lists as tuples of tuples of plain numbers, a path as text, and anything else as it is."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value

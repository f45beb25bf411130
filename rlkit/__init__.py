"""rlkit: reinforcement learning with the truth at hand. What stands here is the public surface, loaded when asked for."""

import importlib
from typing import TYPE_CHECKING, Any

import gymnasium as _gym

import envs as _envs  # noqa: F401 - importing it registers the ids of the grid worlds

if TYPE_CHECKING:
    from rlkit import exact
    from rlkit.agent import Agent, Report
    from rlkit.agents import make
    from rlkit.learning.data import Transitions, collect
    from rlkit.learning.fixed import learn_from
    from rlkit.mdp import MDP, from_arrays, from_env, from_P
    from rlkit.run.checkpoint import load, save
    from rlkit.run.evaluate import evaluate
    from rlkit.run.fit import fit

if "TokenEnv-v0" not in _gym.registry:  # a second import must not warn of an override
    _gym.register("TokenEnv-v0", entry_point="rlkit.sample.token_env:TokenEnv")

__version__ = "0.1.0"

__all__ = [
    "MDP",
    "Agent",
    "Report",
    "Transitions",
    "collect",
    "evaluate",
    "exact",
    "fit",
    "from_P",
    "from_arrays",
    "from_env",
    "learn_from",
    "load",
    "make",
    "save",
]

_HOME = {
    "MDP": "rlkit.mdp",
    "Agent": "rlkit.agent",
    "Report": "rlkit.agent",
    "Transitions": "rlkit.learning.data",
    "collect": "rlkit.learning.data",
    "evaluate": "rlkit.run.evaluate",
    "exact": "",
    "fit": "rlkit.run.fit",
    "from_P": "rlkit.mdp",
    "from_arrays": "rlkit.mdp",
    "from_env": "rlkit.mdp",
    "learn_from": "rlkit.learning.fixed",
    "load": "rlkit.run.checkpoint",
    "make": "rlkit.agents",
    "save": "rlkit.run.checkpoint",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rlkit' has no attribute {name!r}; it has {', '.join(__all__)}")
    home = _HOME[name]
    found = getattr(importlib.import_module(home), name) if home else importlib.import_module(f"rlkit.{name}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

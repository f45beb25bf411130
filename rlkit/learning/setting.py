"""What an agent learns in: an environment or an MDP, its size, its model where there is one, and how it is run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from rlkit.learning.config import Learning, check
from rlkit.learning.spaces import count, numbering
from rlkit.mdp import MDP, from_env
from rlkit.tabular.world import World, compiled_world

Environment = gym.Env[Any, Any] | MDP
Observe = Callable[[Any, int], int]  # (observation, row) -> state
Observer = Callable[[Any], Observe]  # of a memory


@dataclass(frozen=True)
class Setting:
    """A world with finitely many states, or with features that are computed for each observation (then S is few rows)."""

    env: gym.Env[Any, Any] | None
    mdp: MDP | None  # the model, where there is one: the truth that the agent is held against
    world: World | None  # the compiled world, where it is to be used
    n_states: int  # S
    n_actions: int  # A
    first_action: int  # the environment's number of action 0
    observer: Observer

    def observe(self, memory: Any, obs: Any, row: int) -> int:
        """Return the state that an observation is: its number, or the row of the memory that now holds its features."""
        return self.observer(memory)(obs, row)


def finite(env: Environment, config: Learning) -> Setting:
    """Look at a world with finitely many states and actions.

    Raises:
        ValueError: the configuration or the spaces are not for a tabular agent, or the engine is not for this world.
    """
    check(config)
    if isinstance(env, MDP):
        return _of_mdp(env, config)
    n_states = count(checked(env).observation_space)
    if n_states is None:
        raise ValueError(
            f"{name(env)} has observations {env.observation_space}; a tabular agent needs finitely many: take a linear "
            "agent (sarsa_linear, q_linear, td_linear, ...), or wrap the environment so that it observes whole numbers"
        )
    number = numbering(env.observation_space)
    return survey(env, config, n_states, lambda _memory: lambda obs, _row: number(obs))


def survey(env: gym.Env[Any, Any], config: Learning, n_states: int, observer: Observer) -> Setting:
    """Look at an environment whose observations are numbered by `observer`.

    Raises:
        ValueError: the actions are not Discrete, or the engine is not for this world.
    """
    actions = env.action_space
    if not isinstance(actions, gym.spaces.Discrete):
        raise ValueError(f"{name(env)} has actions {actions}; this agent chooses among Discrete ones")
    mdp = from_env(env)
    world = None if config.engine == "stepped" else compiled_world(env)
    if world is None and config.engine == "compiled":
        raise ValueError(
            f'{name(env)} cannot be compiled: it states no model, or a wrapper or a change of its maze hides it; use engine="auto"'
        )
    return Setting(env, mdp, world, n_states, int(actions.n), int(actions.start), observer)


def checked(env: Any) -> gym.Env[Any, Any]:
    """Return the environment if it is one.

    Raises:
        ValueError: it is a vector of environments, or none at all.
    """
    if isinstance(env, gym.vector.VectorEnv):
        raise ValueError("this is a vector of environments; give one environment, and seeds=... for many runs at once")
    if isinstance(env, type):
        raise ValueError(f"this is the class {env.__name__}; give an environment: {env.__name__}()")
    if not isinstance(env, gym.Env):
        raise ValueError(f"the environment is {env!r}; give a Gymnasium environment, the id of one, or an MDP")
    return env


def name(env: gym.Env[Any, Any]) -> str:
    """Return what to call an environment."""
    return env.spec.id if env.spec else type(env.unwrapped).__name__


def _of_mdp(mdp: MDP, config: Learning) -> Setting:
    if config.engine == "stepped":
        raise ValueError('an MDP has no step to take; give an environment, or use engine="compiled"')
    world = compiled_world(mdp)
    return Setting(None, mdp, world, mdp.n_states, mdp.n_actions, 0, lambda _memory: lambda obs, _row: int(obs))

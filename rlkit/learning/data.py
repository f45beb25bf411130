"""A fixed set of transitions: collected from an environment by any policy, checked, kept in a file."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Agent
from rlkit.arrays import Bools, Floats, Ints
from rlkit.learning.config import Learning, Policy
from rlkit.learning.policy import read_policy
from rlkit.learning.setting import checked, finite, name
from rlkit.run.files import replacing
from rlkit.tabular.prediction import cumulated
from rlkit.tabular.random import agent_stream, env_seed, to_generator


class Transitions(NamedTuple):
    """N steps, in the environment's own terms."""

    obs: NDArray[Any]  # [N, ...]
    action: Ints  # [N]
    reward: Floats  # [N]
    next_obs: NDArray[Any]  # [N, ...]  the true successor, never the observation after a reset
    terminated: Bools  # [N]
    truncated: Bools  # [N]

    def save(self, path: str | Path) -> Path:
        """Write them to an .npz file and return its path; a write that is cut short leaves the old file.

        Raises:
            ValueError: naming what in them is no such data.
        """
        with replacing(path) as file:
            np.savez(file, **check_transitions(self)._asdict())
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> "Transitions":
        """Read what `save` wrote; no code in the file is run.

        Raises:
            ValueError: the file holds something else.
        """
        with Path(path).open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError(f"{path} is not an .npz file of transitions, or is cut short")
            file.seek(0)
            with np.load(file, allow_pickle=False) as content:
                lacking = [field for field in cls._fields if field not in content.files]
                if lacking:
                    raise ValueError(f"{path} holds no transitions: it lacks {', '.join(lacking)}")
                return check_transitions(cls(*(content[field] for field in cls._fields)))


def check_transitions(data: Transitions) -> Transitions:
    """Return the data as arrays of the right types.

    Raises:
        ValueError: naming the field and the first row that is wrong.
    """
    fields = {key: np.asarray(value) for key, value in data._asdict().items()}
    n = fields["action"].size
    for key, array in fields.items():
        if len(np.atleast_1d(array)) != n or (array.ndim != 1 and not key.endswith("obs")):
            raise ValueError(
                f"{key} has shape {array.shape}, and action {fields['action'].shape}; each needs a row a step"
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{key} has the type {array.dtype}; it must hold numbers")
        wrong = ~np.isfinite(array)
        if key in {"terminated", "truncated"}:
            wrong = (array != 0) & (array != 1)
        elif key == "action":
            wrong = array != np.floor(array)
        if wrong.any():
            row = int(np.argwhere(wrong)[0][0])
            kind = {"action": "a whole number", "terminated": "0 or 1", "truncated": "0 or 1"}.get(key, "finite")
            raise ValueError(f"{key}[{row}] is {array[row]}; it must be {kind}")
    if not n or fields["obs"].shape != fields["next_obs"].shape:
        shapes = f"obs has shape {fields['obs'].shape} and next_obs {fields['next_obs'].shape}"
        raise ValueError(f"{shapes}; they must be the same, with a step at least")
    return Transitions(
        fields["obs"],
        fields["action"].astype(np.int64),
        fields["reward"].astype(np.float64),
        fields["next_obs"],
        fields["terminated"].astype(np.bool_),
        fields["truncated"].astype(np.bool_),
    )


def collect(
    env: gym.Env[Any, Any] | str, policy: Policy | Floats | Ints | Agent = "uniform", steps: int = 10_000, seed: int = 0
) -> Transitions:
    """Step an environment, and return every step.

    Args:
        env: a Gymnasium environment with Discrete actions, or the id of one.
        policy: "uniform", [S] actions, [S, A] probabilities, or an agent, which explores as it does while learning (with
            its own random numbers).
        steps: N.
        seed: of the environment and, independently, of the actions.

    Raises:
        ValueError: naming the argument that makes no sense.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; at least 1 is needed")
    world = checked(gym.make(env) if isinstance(env, str) else env)
    act = _actor(world, policy, to_generator(agent_stream(seed)[0]))
    rows: list[tuple[Any, ...]] = []
    obs, _ = world.reset(seed=env_seed(seed))
    while len(rows) < steps:
        action = act(obs)
        before = np.array(obs)  # a copy: some environments write into the array that they gave
        obs, reward, terminated, truncated, _ = world.step(action)
        rows.append((before, action, reward, np.array(obs), terminated, truncated))
        if terminated or truncated:
            obs, _ = world.reset()
    if isinstance(env, str):
        world.close()
    return check_transitions(Transitions(*(np.array(column) for column in zip(*rows, strict=True))))


def _actor(env: gym.Env[Any, Any], policy: Any, rng: np.random.Generator) -> Callable[[Any], int]:
    actions = env.action_space
    if not isinstance(actions, gym.spaces.Discrete):
        raise ValueError(f"{name(env)} has actions {actions}; data is collected with Discrete ones")
    n, first = int(actions.n), int(actions.start)
    if isinstance(policy, str):
        if policy != "uniform":
            raise ValueError(f'policy is {policy!r}; give "uniform", actions, probabilities, or an agent')
        return lambda _: first + int(rng.random() * n)
    if not isinstance(policy, np.ndarray | tuple | list):
        return lambda obs: int(policy.act(obs, explore=True))
    setting = finite(env, Learning(engine="stepped"))
    cdf = cumulated(read_policy(policy, setting, gamma=0.9))  # type: ignore[arg-type] # it reads arrays as it does tuples
    return lambda obs: first + int(np.searchsorted(cdf[setting.observe(None, obs, 0)], rng.random(), side="right"))

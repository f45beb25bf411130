"""Compiled agents driven from one end of an episode to the next, as figures over episodes ask for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit.learning.learner import Learner
from rlkit.tabular.drive import Place, make_place
from rlkit.tabular.random import env_seed

MOST = 20_000_000  # steps of a call, should an episode not end


def play(agent: Learner, episodes: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Drive every run through so many episodes; return their returns and lengths, [seeds, episodes]."""
    places = _places(agent, seed, episodes)
    _advance(agent, places)
    return np.array([place.returns for place in places]), np.array([place.lengths for place in places])


def values_after_each(agent: Learner, episodes: int, seed: int = 0) -> NDArray[np.float64]:
    """Drive every run through so many episodes; return the values after each, [episodes, seeds, S]."""
    places, found = _places(agent, seed, 1), []
    for _ in range(episodes):
        _advance(agent, places)
        found.append(agent.values)
    return np.array(found).reshape(episodes, len(places), -1)


def _places(agent: Learner, seed: int, records: int) -> list[Place]:
    """Return a new place for each run; the driver comes back when it has recorded as many episodes as there is room for."""
    room = {"returns": np.zeros(records), "lengths": np.zeros(records, np.int64)}
    return [
        make_place(env_seed(seed + i))._replace(**{key: array.copy() for key, array in room.items()})
        for i in range(agent.config.seeds)
    ]


def _advance(agent: Learner, places: list[Place]) -> None:
    memory: Any
    for memory, place in zip(agent.memories, places, strict=True):
        if agent.method.run(agent.setting.world, memory, place, MOST) == MOST:
            raise ValueError(f"an episode has not ended after {MOST} steps")

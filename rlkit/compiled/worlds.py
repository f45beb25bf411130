"""Batches of worlds as kernels move them: `walk` takes a step in all, whatever world it is."""

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from envs import kernels as grid
from envs.classic.kernels import Batch, observe, reset_one, step_one
from envs.modes import SAME_STEP
from envs.tables import Table

Seen = NDArray[Any]  # float32 [N, D], or int64 [N] of states


class Classic(NamedTuple):
    """Worlds of `envs.classic` with discrete actions."""

    task: NamedTuple
    batch: Batch
    limit: int  # steps of an episode


class Grid(NamedTuple):
    """Grid worlds, whose states are seen."""

    batch: grid.Batch
    table: Table
    limit: int


class Outcome(NamedTuple):
    """What was done in N worlds, and what it led to."""

    choice: NDArray[np.int64]  # [N]
    reward: NDArray[np.float64]  # [N]
    terminated: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N]
    final: Seen  # true successors where an episode is over


def new_outcome(seen: Seen) -> Outcome:
    """Return room for what a step gives."""
    flags, worlds = np.zeros((2, len(seen)), np.bool_), len(seen)
    return Outcome(np.zeros(worlds, np.int64), np.zeros(worlds), flags[0], flags[1], np.zeros_like(seen))


def walk(world: NamedTuple, outcome: Outcome, seen: Seen) -> None:
    """Do outcome.choice in all worlds; where an episode is over the next one begins. `seen` receives what to act on next."""
    raise NotImplementedError(f"{type(world).__name__} is moved in compiled code")


@overload(walk)
def _walk(world: Any, outcome: Any, seen: Any) -> Any:  # noqa: ARG001
    def classic(world: Any, outcome: Any, seen: Any) -> None:
        for i in range(len(outcome.choice)):
            moved = step_one(world.task, world.batch, world.limit, i, outcome.choice[i])
            outcome.reward[i], outcome.terminated[i], outcome.truncated[i] = moved
            if moved[1] or moved[2]:
                observe(world.task, world.batch.state, i, outcome.final)
                reset_one(world.task, world.batch, i)
            observe(world.task, world.batch.state, i, seen)

    def in_grid(world: Any, outcome: Any, seen: Any) -> None:
        ends, cuts = outcome.terminated, outcome.truncated
        grid.move(
            SAME_STEP,
            outcome.choice,
            world.batch,
            world.limit,
            world.table,
            seen,
            outcome.reward,
            ends,
            cuts,
            outcome.final,
        )

    return classic if world.instance_class is Classic else in_grid

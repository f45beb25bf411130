"""Classic control in compiled code: one sub-environment at a time for other kernels to call, or all of a batch.

A world is a NamedTuple of a task's parameters, the last two of which bound the states that episodes begin in. Its type
says which task: the functions `reset_state`, `step_state` and
`observe` of the file that it stands in. Compiled code calls them by these names for any world, and so does Python:

    reset_state(world, rng, state, i)          state[i] ← the start of an episode, drawn from row i of rng
    step_state(world, state, i, action)        state[i] ← its successor; the reward, and whether the episode is over
    observe(world, state, i, obs)              obs[i] ← what is seen of state[i]

A kernel that takes a world is compiled once for each type of world, and cached like any other.
"""

import sys
from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from envs.classic.jit import kernel
from envs.modes import BAD_ACTION, DISABLED, NEEDS_RESET, NEXT_STEP, SAME_STEP
from envs.pcg64 import unseeded

States = NDArray[np.float64]


class Batch(NamedTuple):
    """The state of N sub-environments."""

    state: States  # [N, 4]  a task of fewer numbers leaves the last ones
    elapsed: NDArray[np.int32]  # [N]  steps of this episode
    over: NDArray[np.bool_]  # [N]  waits for its reset
    rng: NDArray[np.uint64]  # [N, 4]  PCG64, see envs.pcg64


def new_batch(num_envs: int) -> Batch:
    """Sub-environments before their first reset, their generators filled from the system's entropy."""
    over = np.zeros(num_envs, np.bool_)
    return Batch(np.zeros((num_envs, 4)), np.zeros(num_envs, np.int32), over, unseeded(num_envs))


def _own(world: type, name: str) -> Any:
    return getattr(sys.modules[world.__module__], name)


def reset_state(world: NamedTuple, rng: NDArray[np.uint64], state: States, i: int) -> None:
    """Begin an episode in row i."""
    _own(type(world), "reset_state")(world, rng, state, i)


def step_state(world: NamedTuple, state: States, i: int, action: Any) -> tuple[float, bool]:
    """Move row i by an action (int for a discrete task, float32 for a continuous one); reward and terminated."""
    moved: tuple[float, bool] = _own(type(world), "step_state")(world, state, i, action)
    return moved


def observe(world: NamedTuple, state: States, i: int, obs: NDArray[np.float32]) -> None:
    """Write what is seen of row i into row i of obs."""
    _own(type(world), "observe")(world, state, i, obs)


@overload(reset_state)
def _reset_state(world: Any, rng: Any, state: Any, i: Any) -> Any:  # noqa: ARG001
    own = _own(world.instance_class, "reset_state")

    def of_world(world: Any, rng: Any, state: Any, i: Any) -> Any:
        return own(world, rng, state, i)

    return of_world


@overload(step_state)
def _step_state(world: Any, state: Any, i: Any, action: Any) -> Any:  # noqa: ARG001
    own = _own(world.instance_class, "step_state")

    def of_world(world: Any, state: Any, i: Any, action: Any) -> Any:
        return own(world, state, i, action)

    return of_world


@overload(observe)
def _observe(world: Any, state: Any, i: Any, obs: Any) -> Any:  # noqa: ARG001
    own = _own(world.instance_class, "observe")

    def of_world(world: Any, state: Any, i: Any, obs: Any) -> Any:
        return own(world, state, i, obs)

    return of_world


@kernel
def step_one(world: NamedTuple, batch: Batch, limit: int, i: int, action: Any) -> tuple[float, bool, bool]:
    """Move sub-environment i by an action; reward, terminated and truncated. Does not reset."""
    reward, terminated = step_state(world, batch.state, i, action)
    batch.elapsed[i] += 1
    truncated = batch.elapsed[i] == limit
    batch.over[i] = terminated or truncated
    return reward, terminated, truncated


@kernel
def reset_one(world: NamedTuple, batch: Batch, i: int) -> None:
    """Begin an episode in sub-environment i."""
    reset_state(world, batch.rng, batch.state, i)
    batch.elapsed[i] = 0
    batch.over[i] = False


@kernel
def reset(world: NamedTuple, batch: Batch, mask: NDArray[np.bool_], obs: NDArray[np.float32]) -> None:
    """Begin an episode where mask holds, and observe all."""
    for i in range(len(mask)):
        if mask[i]:
            reset_one(world, batch, i)
        observe(world, batch.state, i, obs)


@kernel
def step(
    mode: int, limit: int, low: float, high: float, final: NDArray[np.float32], world: NamedTuple, state: States,
    elapsed: NDArray[np.int32], over: NDArray[np.bool_], rng: NDArray[np.uint64], actions: NDArray[Any],
    obs: NDArray[np.float32], reward: NDArray[np.float64], terminated: NDArray[np.bool_], truncated: NDArray[np.bool_],
) -> int:  # fmt: skip
    """One step of all, restarts included; how many episodes ended. A negative number says why nothing was done.

    In SAME_STEP final receives the successors of those that ended. The fields of batch are arguments of their own: taking
    a tuple apart at each call from Python takes time.
    """
    batch = Batch(state, elapsed, over, rng)
    for i in range(len(actions)):
        if over[i] and mode == DISABLED:
            return NEEDS_RESET
        if not (low <= actions[i] <= high or (over[i] and mode == NEXT_STEP)):
            return BAD_ACTION
    ended = 0
    for i in range(len(actions)):
        if over[i] and mode == NEXT_STEP:
            reset_one(world, batch, i)
            reward[i], terminated[i], truncated[i] = 0.0, False, False
        else:
            reward[i], terminated[i], truncated[i] = step_one(world, batch, limit, i, actions[i])
            ended += over[i]
            if over[i] and mode == SAME_STEP:
                observe(world, state, i, final)
                reset_one(world, batch, i)
        observe(world, state, i, obs)
    return ended

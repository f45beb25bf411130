"""What N worlds gave, in a ring; the twin of `rlkit.sample.replay`, whose state it has.

True successors stand beside the step that they end, and get their numbers when the state is asked for.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Ints
from rlkit.compiled.jit import kernel
from rlkit.compiled.worlds import Outcome, Seen


class Memory(NamedTuple):
    """The last R steps of each of N worlds; one row more, for the observation whose step is still to come."""

    obs: NDArray[Any]  # [R + 1, N, D], or [R + 1, N] of states
    finals: NDArray[Any]  # the same, where an episode is over
    actions: NDArray[np.int64]  # [R + 1, N]
    rewards: NDArray[np.float32]  # [R + 1, N]
    terminated: NDArray[np.bool_]  # [R + 1, N]
    truncated: NDArray[np.bool_]  # [R + 1, N]
    state: NDArray[np.int64]  # [3]  steps held, the row of the newest observation, episodes that have ended so far


def new_memory(rows: int, seen: Seen) -> Memory:
    """Return an empty one, which has seen the first observations."""
    ring = (rows + 1, len(seen))
    obs, finals = np.zeros((2, *ring, *seen.shape[1:]), seen.dtype)
    flags = np.zeros((2, *ring), np.bool_)
    obs[0] = seen
    return Memory(
        obs, finals, np.zeros(ring, np.int64), np.zeros(ring, np.float32), flags[0], flags[1], np.zeros(3, np.int64)
    )


@kernel
def remember(memory: Memory, outcome: Outcome, seen: Seen) -> None:
    """Write down a step of all worlds, and what is acted on next."""
    row, size = memory.state[1], len(memory.actions)
    for i in range(len(outcome.choice)):
        memory.actions[row, i], memory.rewards[row, i] = outcome.choice[i], outcome.reward[i]
        memory.terminated[row, i], memory.truncated[row, i] = outcome.terminated[i], outcome.truncated[i]
        if outcome.terminated[i] or outcome.truncated[i]:
            memory.finals[row, i] = outcome.final[i]
            memory.state[2] += 1
    row = (row + 1) % size
    memory.obs[row] = seen
    memory.state[0], memory.state[1] = min(memory.state[0] + 1, size - 1), row


@kernel
def drawn(memory: Memory, u: float) -> tuple[int, int]:
    """Return the row and the world of a step, evenly drawn from all that are held by u in [0, 1)."""
    worlds, held = memory.actions.shape[1], memory.state[0]
    which = int(u * (held * worlds))
    return (memory.state[1] - held + which // worlds) % len(memory.actions), which % worlds


@kernel
def chain(memory: Memory, row: int, world: int, steps: int, gamma: float) -> tuple[float, float, int]:
    """Return Σ_j γ^j r_{t+j+1} over up to n steps, γ^k (1 - terminated), and the row of the k-th step."""
    reward, discount, here = 0.0, 1.0, row
    for j in range(steps):
        reward += discount * memory.rewards[here, world]
        discount *= gamma
        following = (here + 1) % len(memory.actions)
        over = memory.terminated[here, world] or memory.truncated[here, world]
        if over or following == memory.state[1] or j == steps - 1:
            break
        here = following
    return reward, 0.0 if memory.terminated[here, world] else discount, here


def memory_state(memory: Memory) -> dict[str, Any]:
    """Return all that is held, oldest first."""
    held, head, ended = (int(number) for number in memory.state)
    rows = (head - held + np.arange(held + 1)) % len(memory.actions)
    past = rows[:-1]
    over = memory.terminated[past] | memory.truncated[past]
    final_at = np.full(over.shape, -1, np.int64)
    final_at[over] = np.arange(ended - int(over.sum()), ended)
    return {
        "obs": memory.obs[rows],
        "actions": memory.actions[past],
        "rewards": memory.rewards[past],
        "terminated": memory.terminated[past],
        "truncated": memory.truncated[past],
        "final_at": final_at,
        "finals": memory.finals[past][over],
        "ended": ended,
        "rows": len(memory.actions) - 1,
        "head": head,
    }


def restore_memory(memory: Memory, state: Mapping[str, Any]) -> None:
    """Take over a state.

    Raises:
        ValueError: it is of a memory of another size or other worlds.
    """
    size, found = len(memory.actions), np.shape(state["obs"])
    if int(state["rows"]) != size - 1:
        raise ValueError(f"the state remembers up to {state['rows']} steps of each world; this agent {size - 1}")
    if found[1:] != memory.obs.shape[1:]:
        raise ValueError(
            f"the state remembers observations {list(found[1:])}; here they are {list(memory.obs.shape[1:])}"
        )
    held, head = found[0] - 1, int(state["head"])
    rows: Ints = (head - held + np.arange(held + 1)) % size
    memory.obs[rows] = state["obs"]
    for name in ("actions", "rewards", "terminated", "truncated"):
        getattr(memory, name)[rows[:-1]] = state[name]
    at = np.asarray(state["final_at"])
    over, ended = at >= 0, int(state["ended"])
    finals = memory.finals[rows[:-1]]
    finals[over] = np.asarray(state["finals"])[at[over] - (ended - int(over.sum()))]
    memory.finals[rows[:-1]] = finals
    memory.state[:] = held, head, ended

"""The compiled driver: an agent's kernels in a loop with its world, the fast twin of stepping the environment.

An agent is two kernels on a NamedTuple of arrays, its memory:

    begin(memory, s) -> (s, a)     an episode begins in s; the first action. Another s asks to begin there instead.
    learn(memory, s, a, r, s_next, terminated, truncated) -> a_next     learn from a step, and choose the next action;
                                   a negative one ends the episode from the agent's side.
"""

from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.tabular.jit import template
from rlkit.tabular.random import Stream, env_stream
from rlkit.tabular.world import draw_outcome, draw_start

NEW = -1  # as the next action: a new episode begins
RECORDS = 1 << 14  # episodes that a call can record


class Place(NamedTuple):
    """Where a run is, and the episodes that have ended since the call began."""

    now: Ints  # [5]  state, next action, steps of this episode, steps in all, episodes in all
    total: Floats  # [1]  return of this episode so far, undiscounted
    stream: Stream  # [1, 4]  the world's random numbers
    recorded: Ints  # [1]  episodes recorded
    returns: Floats  # [RECORDS]
    lengths: Ints  # [RECORDS]


STATE, ACTION, ELAPSED, STEPS, EPISODES = range(5)


def make_place(seed: int) -> Place:
    """Return the place of a run that has not begun; seed is what `env.reset(seed=...)` would get."""
    now = np.zeros(5, np.int64)
    now[ACTION] = NEW
    one = np.zeros(1, np.int64)
    return Place(now, np.zeros(1), env_stream(seed), one, np.zeros(RECORDS), np.zeros(RECORDS, np.int64))


@template
def drive(begin: Any, learn: Any, world: Any, memory: Any, place: Any, steps: int) -> int:
    """Take up to `steps` steps, fewer where the records are full; return how many.

    Args:
        begin: kernel of the agent.
        learn: kernel of the agent.
        world: `World`.
        memory: the agent's arrays, changed in place.
        place: where the run is, changed in place.
        steps: at most so many.
    """
    s, a, elapsed = place.now[0], place.now[1], place.now[2]
    total = place.total[0]
    recorded = 0
    taken = 0
    while taken < steps and recorded < place.returns.size:
        if a < 0:
            s, a = begin(memory, draw_start(world, place.stream))
            elapsed, total = 0, 0.0
        k = np.uintp(draw_outcome(world, s, a, place.stream))
        s_next, r, terminated = np.int64(world.next_state[k]), world.reward[k], world.terminated[k]
        taken += 1
        elapsed += 1
        total += r
        truncated = elapsed >= world.limit
        a = learn(memory, s, a, r, s_next, terminated, truncated)
        s = s_next
        if terminated or truncated or a < 0:
            a = NEW
            place.returns[recorded], place.lengths[recorded] = total, elapsed
            recorded += 1
    place.now[0], place.now[1], place.now[2] = s, a, elapsed
    place.now[3] += taken
    place.now[4] += recorded
    place.recorded[0] = recorded
    place.total[0] = total
    return taken

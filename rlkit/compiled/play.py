"""A policy plays a segment in a compiled batch of worlds; episodes go on from one segment to the next."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs import kernels as grid
from envs.classic.kernels import Batch, observe, reset_one, step_one
from envs.modes import SAME_STEP
from envs.tables import Table
from rlkit.compiled.heads import drawn, gaussian, softmax
from rlkit.compiled.jit import kernel
from rlkit.compiled.mlp import BLOCK, Net, forward, output_place
from rlkit.compiled.segment import Segment


class Tally(NamedTuple):
    """Returns and lengths of episodes."""

    returns: NDArray[np.float64]  # [N]  of those under way
    lengths: NDArray[np.int64]  # [N]
    finished: NDArray[np.float64]  # [R, 2]  (return, length) of those that ended in this segment
    ended: NDArray[np.int64]  # [1]  how many of them
    cuts: NDArray[np.int64]  # [1]  how many rows have a cut


class Scratch(NamedTuple):
    """What a step of N grid worlds takes and gives."""

    choice: NDArray[np.int64]
    final: NDArray[np.int64]
    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


def new_scratch(worlds: int) -> Scratch:
    """Return one for N worlds."""
    flags = np.zeros((2, worlds), np.bool_)
    return Scratch(np.zeros(worlds, np.int64), np.zeros(worlds, np.int64), np.zeros(worlds), flags[0], flags[1])


def new_tally(worlds: int, rows: int) -> Tally:
    """Return a tally of nothing yet."""
    return Tally(
        np.zeros(worlds), np.zeros(worlds, np.int64), np.zeros((rows, 2)), np.zeros(1, np.int64), np.zeros(1, np.int64)
    )


@kernel
def choose(actor: Net, actions: int, normal: bool, draws: NDArray[np.float64], segment: Segment, t: int) -> None:
    """Choose what all worlds do at step t, by draws [T, N, D]; write it down with its log-probability."""
    steps = segment.obs.shape[0] // segment.worlds
    at, out_row = output_place(actor)
    layers, row, width = actor.layers, actor.plan[0, 2], segment.obs.shape[1]
    number, spare = actor.weights.dtype.type, actor.weights.size - actions
    for first in range(0, segment.worlds, BLOCK):
        size = min(BLOCK, segment.worlds - first)
        for i in range(size):
            for j in range(width):
                layers[i * row + j] = segment.obs[(first + i) * steps + t, j]
        forward(actor, 0, size)
        for i in range(size):
            here, of = at + i * out_row, (first + i) * steps + t
            if normal:
                for a in range(actions):
                    std = number(math.exp(actor.weights[spare + a]))
                    segment.action[of, a] = layers[here + a] + std * number(draws[t, first + i, a])
                segment.logprobs[of] = gaussian(layers, here, actor.weights, spare, actions, segment.action, of)[0]
            else:
                softmax(layers, here, actions, actor.deltas, 0)
                choice = drawn(actor.deltas, here, actions, draws[t, first + i, 0])
                segment.choice[of] = choice
                segment.logprobs[of] = softmax(layers, here, actions, actor.deltas, choice)[0]


@kernel
def count(tally: Tally, i: int, reward: float, over: bool) -> None:
    """Count a step of world i."""
    tally.returns[i] += reward
    tally.lengths[i] += 1
    if over:
        tally.finished[tally.ended[0], 0], tally.finished[tally.ended[0], 1] = tally.returns[i], tally.lengths[i]
        tally.ended[0] += 1
        tally.returns[i], tally.lengths[i] = 0.0, 0


@kernel
def note(segment: Segment, row: int, reward: float, terminated: bool, truncated: bool, tally: Tally) -> bool:
    """Write down what a step led to; whether the value of its successor will be asked for, which then is cut `tally.cuts[0]`."""
    steps = segment.obs.shape[0] // segment.worlds
    i = row // steps
    segment.rewards[row], segment.terminated[row], segment.truncated[row] = reward, terminated, truncated
    count(tally, i, reward, terminated or truncated)
    wanted = not terminated and (truncated or row % steps == steps - 1)
    segment.cut[row] = tally.cuts[0] if wanted else -1
    return bool(wanted)


@kernel
def play_classic(
    world: NamedTuple, batch: Batch, limit: int, low: float, high: float, actor: Net, actions: int, normal: bool,
    draws: NDArray[np.float64], segment: Segment, tally: Tally, seen: NDArray[np.float32],
) -> None:  # fmt: skip
    """Play in worlds of `envs.classic`.

    Args:
        world: the task.
        batch: its states.
        limit: steps of an episode.
        low: least action of a continuous task.
        high: largest one.
        actor: the policy.
        actions: its outputs.
        normal: whether they are means.
        draws: [T, N, D], uniform, or standard normal.
        segment: to be written.
        tally: of episodes.
        seen: [N, D], receives what to act on next.
    """
    steps, width = len(draws), segment.obs.shape[1]
    tally.ended[0] = tally.cuts[0] = 0
    for t in range(steps):
        for i in range(segment.worlds):
            for j in range(width):
                segment.obs[i * steps + t, j] = seen[i, j]
        choose(actor, actions, normal, draws, segment, t)
        for i in range(segment.worlds):
            row = i * steps + t
            action = np.float32(segment.choice[row])
            if normal:
                action = np.float32(min(max(segment.action[row, 0], low), high))
            reward, terminated, truncated = step_one(world, batch, limit, i, action)
            observe(world, batch.state, i, seen)
            if note(segment, row, reward, terminated, truncated, tally):
                _keep(segment, tally, seen, i)
            if terminated or truncated:
                reset_one(world, batch, i)
                observe(world, batch.state, i, seen)


@kernel
def _keep(segment: Segment, tally: Tally, seen: NDArray[np.float32], i: int) -> None:
    for j in range(seen.shape[1]):
        segment.cut_obs[tally.cuts[0], j] = seen[i, j]
    tally.cuts[0] += 1


@kernel
def play_grid(
    batch: grid.Batch, table: Table, limit: int, actor: Net, actions: int, draws: NDArray[np.float64], segment: Segment,
    tally: Tally, states: NDArray[np.int64], scratch: Scratch,
) -> None:  # fmt: skip
    """Play in grid worlds, whose states are seen one-hot.

    Args:
        batch: their states.
        table: the rules.
        limit: steps of an episode.
        actor: the policy.
        actions: its outputs.
        draws: [T, N, 1] uniform.
        segment: to be written.
        tally: of episodes.
        states: [N], where they stand; receives where they stand next.
        scratch: for their steps.
    """
    steps = len(draws)
    reward, terminated, truncated = scratch.reward, scratch.terminated, scratch.truncated
    tally.ended[0] = tally.cuts[0] = 0
    segment.obs[:] = 0.0
    segment.cut_obs[:] = 0.0
    for t in range(steps):
        for i in range(segment.worlds):
            segment.obs[i * steps + t, states[i]] = 1.0
        choose(actor, actions, False, draws, segment, t)
        for i in range(segment.worlds):
            scratch.choice[i] = segment.choice[i * steps + t]
        grid.move(SAME_STEP, scratch.choice, batch, limit, table, states, reward, terminated, truncated, scratch.final)
        for i in range(segment.worlds):
            if note(segment, i * steps + t, reward[i], terminated[i], truncated[i], tally):
                segment.cut_obs[tally.cuts[0], scratch.final[i] if truncated[i] else states[i]] = 1.0
                tally.cuts[0] += 1

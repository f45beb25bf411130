"""Deep Q-learning's update: rows of the batch are dealt out to threads for all that happens to rows, and weights for the rest.

Each number comes out of the same sums in the same order, however many threads there are. They meet three times in a learning step.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Ints
from rlkit.compiled.adam import adam, squared
from rlkit.compiled.jit import kernel
from rlkit.compiled.mlp import (
    BLOCK,
    PARTS,
    Net,
    Numbers,
    collect,
    flip_part,
    forward,
    output_place,
    spread,
    weights_place,
)
from rlkit.compiled.q_play import largest, show
from rlkit.compiled.replay import Memory, chain, drawn
from rlkit.team import meet

EPSILON = 1e-8  # of Adam


class Update(NamedTuple):
    """What a learning step is made of."""

    actions: int
    double: bool  # the net chooses the action at which the target net is asked
    steps: int  # n, rewards in a target
    gamma: float
    max_norm: float


class Batch(NamedTuple):
    """Draws of the learning steps to come, and what the last one came to."""

    u: NDArray[np.float64]  # [steps, B], uniform
    loss: Numbers  # [B]
    error: Numbers  # [B]  |y - Q|
    norms: NDArray[np.float64]  # [PARTS]  squares of the gradient's


class Crew(NamedTuple):
    """A thread among others; see `rlkit.team.meet`."""

    me: int
    members: int
    progress: Ints


@kernel
def judge(
    net: Net, target: Net, memory: Memory, batch: Batch, k: int, first: int, at: int, size: int, update: Update
) -> None:
    """Bring rows first, ..., `size` of them, of the batch forward and back, as rows at, at + 1, ... of the net.

    The derivative of the mean Huber loss by Q(s, a) is δ = Q - y held to ±1, over B.

    Args:
        net: Q.
        target: Q', of which y = r + γᵏ Q'(s', a') is made.
        memory: has the rows.
        batch: has their draws, and receives losses.
        k: which of its learning steps.
        first: see there.
        at: see there.
        size: see there.
        update: how.
    """
    out, row = output_place(net)
    number = net.weights.dtype.type
    rows = batch.u.shape[1]
    for i in range(size):
        start, world = drawn(memory, batch.u[k, first + i])
        _, _, last = chain(memory, start, world, update.steps, update.gamma)
        over = memory.terminated[last, world] or memory.truncated[last, world]
        obs = memory.finals if over else memory.obs
        place = last if over else (last + 1) % len(memory.actions)
        show(target, at + i, obs, place, world)
        if update.double:
            show(net, at + i, obs, place, world)
    forward(target, at, size)
    chooser = target
    if update.double:
        forward(net, at, size)
        chooser = net
    for i in range(size):
        best = largest(chooser, at + i, update.actions)
        batch.loss[first + i] = target.layers[out + (at + i) * row + best]
    for i in range(size):
        start, world = drawn(memory, batch.u[k, first + i])
        show(net, at + i, memory.obs, start, world)
    forward(net, at, size)
    for i in range(size):
        start, world = drawn(memory, batch.u[k, first + i])
        reward, discount, _ = chain(memory, start, world, update.steps, update.gamma)
        y = number(np.float32(reward))
        if discount > 0.0:
            y += number(np.float32(discount)) * batch.loss[first + i]
        here = out + (at + i) * row
        for j in range(row):
            net.deltas[here + j] = number(0.0)
        choice = memory.actions[start, world]
        apart = net.layers[here + choice] - y
        near = min(max(apart, -number(1.0)), number(1.0))
        net.deltas[here + choice] = near / number(rows)
        batch.loss[first + i], batch.error[first + i] = near * (apart - number(0.5) * near), abs(apart)
    spread(net, at, size)


@kernel
def fit(
    crew: Crew, done: int, net: Net, target: Net, memory: Memory, batch: Batch, k: int, update: Update, rate: float, count: int
) -> int:  # fmt: skip
    """Take a learning step; return how often the crew has met.

    Args:
        crew: this thread's.
        done: how often it has met before.
        net: Q.
        target: Q'.
        memory: has the rows.
        batch: has their draws.
        k: which of its learning steps.
        update: how.
        rate: α of Adam.
        count: t of Adam, from 1.
    """
    rows = batch.u.shape[1]
    for first in range(0, rows, BLOCK):
        size = min(BLOCK, rows - first)
        start, end = crew.me * size // crew.members, (crew.me + 1) * size // crew.members
        judge(net, target, memory, batch, k, first + start, start, end - start, update)
        done = together(crew, done)
        for part in range(crew.me, PARTS, crew.members):
            collect(net, size, first > 0, part)
            if first + size == rows:
                batch.norms[part] = _squared(net, part)
        done = together(crew, done)
    norm = 0.0
    for part in range(PARTS):
        norm += batch.norms[part]
    for part in range(crew.me, PARTS, crew.members):
        _move(net, part, math.sqrt(norm), update.max_norm, rate, count)
    return together(crew, done)


@kernel
def follow(crew: Crew, target: Net, net: Net, tau: float) -> None:
    """Move this thread's part of the target net: φ' ← φ' + τ (φ - φ')."""
    number = net.weights.dtype.type
    share = number(tau)
    for part in range(crew.me, PARTS, crew.members):
        for layer in range(len(net.plan)):
            at, end = weights_place(net, layer, part)
            for i in range(at, end):
                own, other = target.weights[i], net.weights[i]
                target.weights[i] = other - (other - own) * (number(1.0) - share)


@kernel
def together(crew: Crew, done: int) -> int:
    """Wait for all of the crew; return how often it has met."""
    if crew.members > 1:
        meet(crew.progress, crew.me, done + 1)
    return done + 1


@kernel
def _squared(net: Net, part: int) -> float:
    total = 0.0
    for layer in range(len(net.plan)):
        at, end = weights_place(net, layer, part)
        total += squared(net.gradient[at:end])
    return total


@kernel
def _move(net: Net, part: int, norm: float, max_norm: float, rate: float, count: int) -> None:
    for layer in range(len(net.plan)):
        at, end = weights_place(net, layer, part)
        vectors = net.weights[at:end], net.gradient[at:end], net.mean[at:end], net.square[at:end]
        adam(*vectors, norm, max_norm, rate, count, EPSILON)
    flip_part(net, part)

"""PPO's update: epochs of minibatches, in which one thread takes the actor and another the critic, or one takes both.

The nets share nothing but the norm of their gradient, for which the threads meet once in a minibatch. So they do the same
sums in the same order, however many they are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.arrays import Ints
from rlkit.compiled.adam import adam, squared
from rlkit.compiled.heads import gaussian, softmax
from rlkit.compiled.jit import kernel
from rlkit.compiled.losses import Weights, policy_rows, value_rows
from rlkit.compiled.mlp import BLOCK, Net, Numbers, backward, flip, forward, output_place, take
from rlkit.compiled.segment import Segment
from rlkit.team import meet


class Step(NamedTuple):
    """How an update is made."""

    batch: int  # rows of a minibatch
    rate: float  # α
    max_norm: float
    before: int  # updates until now
    epsilon: float


@kernel
def gradient(
    part: int, net: Net, actions: int, normal: bool, segment: Segment, order: NDArray[np.int64], first: int, total: int,
    weights: Weights,
) -> None:  # fmt: skip
    """Set the gradient of the actor (part 0) or the critic (part 1) on rows order[first], ..., `total` of them."""
    done = 0
    net.gradient[net.gradient.size - actions :] = 0.0
    while done < total:
        count = min(BLOCK, total - done)
        take(net, segment.obs, order, first + done, count)
        forward(net, 0, count)
        if part == 0:
            policy_rows(net, actions, normal, segment, order, first + done, count, total, weights)
        else:
            value_rows(net, segment, order, first + done, count, total, weights)
        backward(net, count, done > 0)
        done += count


@kernel
def learn(
    me: int, members: int, progress: Ints, norms: NDArray[np.float64], actor: Net, critic: Net, actions: int, normal: bool,
    segment: Segment, orders: NDArray[np.int64], weights: Weights, step: Step,
) -> None:  # fmt: skip
    """Go through epochs of minibatches.

    Args:
        me: this thread, 0 or 1.
        members: how many there are.
        progress: [members * APART], zero; see `rlkit.team.meet`.
        norms: [2, 2], where threads tell each other the squares of their gradients' norms.
        actor: a net.
        critic: a net.
        actions: outputs of the actor.
        normal: whether they are means.
        segment: with advantages and targets.
        orders: [epochs, R] of rows.
        weights: of the parts of the loss.
        step: of the optimizer.
    """
    rows, done = orders.shape[1], 0
    for epoch in range(len(orders)):
        for first in range(0, rows, step.batch):
            total, slot = min(step.batch, rows - first), done % 2
            if me == 0:
                gradient(0, actor, actions, normal, segment, orders[epoch], first, total, weights)
                norms[slot, 0] = squared(actor.gradient)
            if me == members - 1:
                gradient(1, critic, 0, normal, segment, orders[epoch], first, total, weights)
                norms[slot, 1] = squared(critic.gradient)
            done += 1
            if members > 1:
                meet(progress, me, done)
            norm = np.sqrt(norms[slot, 0] + norms[slot, 1])
            if me == 0:
                _move(actor, norm, step, done)
            if me == members - 1:
                _move(critic, norm, step, done)


@kernel
def review(
    actor: Net, actions: int, normal: bool, segment: Segment, rows: Ints, logprobs: Numbers, entropy: Numbers
) -> None:
    """Write log π(a|s) and the entropy, as the actor has them now, of all rows; rows is 0, 1, ..."""
    at, row = output_place(actor)
    spare = actor.weights.size - actions
    for first in range(0, rows.size, BLOCK):
        size = min(BLOCK, rows.size - first)
        take(actor, segment.obs, rows, first, size)
        forward(actor, 0, size)
        for i in range(size):
            here, of = at + i * row, first + i
            if normal:
                found = gaussian(actor.layers, here, actor.weights, spare, actions, segment.action, of)
            else:
                found = softmax(actor.layers, here, actions, actor.deltas, segment.choice[of])
            logprobs[of], entropy[of] = found


@kernel
def evaluate(critic: Net, x: Numbers, count: int, rows: Ints, values: Numbers) -> None:
    """Write the critic's values of x [R, D] to values; rows is 0, 1, ..."""
    at, row = output_place(critic)
    for first in range(0, count, BLOCK):
        size = min(BLOCK, count - first)
        take(critic, x, rows, first, size)
        forward(critic, 0, size)
        for i in range(size):
            values[first + i] = critic.layers[at + i * row]


@kernel
def _move(net: Net, norm: float, step: Step, done: int) -> None:
    count = step.before + done
    adam(net.weights, net.gradient, net.mean, net.square, norm, step.max_norm, step.rate, count, step.epsilon)
    flip(net)

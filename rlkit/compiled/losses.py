"""Derivatives of PPO's losses by the outputs of the nets, row by row; the losses are those of `rlkit.pg.losses`."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.compiled.heads import gaussian, softmax
from rlkit.compiled.jit import kernel
from rlkit.compiled.mlp import Net, output_place
from rlkit.compiled.segment import Segment
from rlkit.compiled.smooth import exp

_MOST = 43.0  # of a log-ratio: beyond, float32 does not hold its square


class Weights(NamedTuple):
    """What the parts of the loss weigh, and where it is clipped."""

    low: float  # the ratio's gain counts down to 1 - low
    high: float  # and up to 1 + high
    entropy: float
    value: float
    value_clip: float  # 0: any change of the value counts


@kernel
def policy_rows(
    net: Net, actions: int, normal: bool, segment: Segment, order: NDArray[np.int64], first: int, count: int,
    total: int, weights: Weights,
) -> None:  # fmt: skip
    """Set D of the actor's outputs for rows order[first], ..., whose outputs stand in the net.

    The loss is (1 / total) Σ -min(r A, clip(r, 1 - low, 1 + high) A) - entropy H. What falls on the logarithm of a standard
    deviation is added to its gradient, which must be 0 before the first row of a minibatch.

    Args:
        net: the actor's.
        actions: A, how many outputs it has.
        normal: whether they are means of a Gaussian, else logits.
        segment: rows.
        order: of rows.
        first: see there.
        count: of rows.
        total: rows of the minibatch.
        weights: of the parts.
    """
    at, row = output_place(net)
    number = net.weights.dtype.type
    share, bonus = number(1.0 / total), number(weights.entropy / total)
    bottom, top = number(1.0 - weights.low), number(1.0 + weights.high)
    out, delta, most = net.layers, net.deltas, number(_MOST)
    spare = net.weights.size - actions
    for i in range(count):
        of, here = order[first + i], at + i * row
        if normal:
            logprob, h = gaussian(out, here, net.weights, spare, actions, segment.action, of)
        else:
            logprob, h = softmax(out, here, actions, delta, segment.choice[of])
        ratio = exp(min(max(logprob - segment.logprobs[of], -most), most))
        advantage = segment.advantages[of]
        held = min(max(ratio, bottom), top)
        gain = -ratio * advantage * share if ratio * advantage <= held * advantage else number(0.0)
        for a in range(actions):
            if normal:
                std = number(math.exp(net.weights[spare + a]))
                z = (segment.action[of, a] - out[here + a]) / std
                delta[here + a] = gain * z / std
                net.gradient[spare + a] += gain * (z * z - number(1.0)) - bonus
            else:
                p = delta[here + a]  # where softmax put it
                slope = p * (out[here + a] - out[here + segment.choice[of]] + logprob + h)  # p (log p + H)
                delta[here + a] = gain * ((number(1.0) if a == segment.choice[of] else number(0.0)) - p) + bonus * slope


@kernel
def value_rows(
    net: Net, segment: Segment, order: NDArray[np.int64], first: int, count: int, total: int, weights: Weights
) -> None:
    """Set D of the critic's output: the loss is (value / total) Σ (V - R)² / 2, or with value_clip the larger of two such."""
    at, row = output_place(net)
    number = net.weights.dtype.type
    share, clip = number(weights.value / total), number(weights.value_clip)
    for i in range(count):
        of, here = order[first + i], at + i * row
        value, old, target = net.layers[here], segment.values[of], segment.targets[of]
        error = value - target
        if clip > 0.0 and abs(value - old) > clip:
            near = (old + clip if value > old else old - clip) - target
            if error * error < near * near:
                error = number(0.0)
        net.deltas[here] = share * error

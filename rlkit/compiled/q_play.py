"""ε-greedy play by a net of action values, one step of all worlds at a time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlkit.compiled.jit import kernel
from rlkit.compiled.mlp import BLOCK, Net, forward, input_place, output_place
from rlkit.compiled.play import Tally, count
from rlkit.compiled.replay import Memory, remember
from rlkit.compiled.worlds import Outcome, Seen, walk
from rlkit.tabular.random import Stream, uniform

_ALMOST = 1.0 - 1e-9  # of a draw that says which action


@kernel
def show(net: Net, i: int, obs: Seen, row: int, world: int) -> None:
    """Write what was seen, obs [R, N, D], or one-hot the state obs [R, N], into row i of X_0."""
    at, width = input_place(net, i)
    if obs.ndim == 2:
        for j in range(width):
            net.layers[at + j] = 0.0
        net.layers[at + obs[row, world]] = 1.0
    else:
        for j in range(width):
            net.layers[at + j] = obs[row, world, j]


@kernel
def largest(net: Net, i: int, actions: int) -> int:
    """Return the place of the largest of the outputs in row i; of equal ones the first."""
    at, row = output_place(net)
    here = at + i * row
    best = 0
    for a in range(1, actions):
        if net.layers[here + a] > net.layers[here + best]:
            best = a
    return best


@kernel
def decide(net: Net, actions: int, obs: Seen, row: int, choice: NDArray[np.int64]) -> None:
    """Write the greedy choice for obs[row] of every world."""
    for first in range(0, len(choice), BLOCK):
        size = min(BLOCK, len(choice) - first)
        for i in range(size):
            show(net, i, obs, row, first + i)
        forward(net, 0, size)
        for i in range(size):
            choice[first + i] = largest(net, i, actions)


@kernel
def stray(u: float, epsilon: float, actions: int, choice: int) -> int:
    """Return the choice, or where u < ε a random action: u / ε is as good as a draw of its own."""
    return int(min(u / epsilon, _ALMOST) * actions) if u < epsilon else choice


@kernel
def play(
    world: NamedTuple, seen: Seen, outcome: Outcome, tally: Tally, memory: Memory, net: Net, actions: int, stream: Stream,
    epsilon: float,
) -> None:  # fmt: skip
    """Take a step in all worlds and remember it; with ε = 1 the net is not asked."""
    if epsilon < 1.0:
        decide(net, actions, memory.obs, memory.state[1], outcome.choice)
    for i in range(len(outcome.choice)):
        outcome.choice[i] = stray(uniform(stream), epsilon, actions, outcome.choice[i])
    walk(world, outcome, seen)
    for i in range(len(outcome.choice)):
        count(tally, i, outcome.reward[i], outcome.terminated[i] or outcome.truncated[i])
    remember(memory, outcome, seen)

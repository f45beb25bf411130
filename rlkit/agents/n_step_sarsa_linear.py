"""n-step Sarsa with linear values, S&B (10.4): w ← w + α (r₁ + ... + γⁿ⁻¹ rₙ + γⁿ φ(sₙ)ᵀw_aₙ - φ(s)ᵀw_a) φ(s)_a.

An update waits until its n rewards have come; those that still wait when an episode ends are made then, with q of what
would have come next added after a truncation. n = 1 is sarsa_linear.

A return of n rewards has the noise of n actions. By default the step size falls, as that of sarsa_linear does, which is enough on the
5x5 of the book where episodes begin anew often (max_episode_steps=5): each action that is not greedy, in a cell that no way
leads through, is then tried some thousand times in 8 million steps, enough to tell values that differ by 0.1.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlkit.arrays import Floats, Ints
from rlkit.learning.basis import FALLING, LinearControl, basis
from rlkit.learning.config import check
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.learning.weights import action_values, action_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import brief, kernel
from rlkit.tabular.multistep import Pending, drop, due, make_pending, n_step_return, newest, oldest, push
from rlkit.tabular.schedule import Rate, rate
from rlkit.tabular.weights import ActionWeights, add_action, choose, copy_row, dot_action


@dataclass(frozen=True)
class Config(LinearControl):
    """n-step Sarsa with linear values."""

    alpha: Rate = FALLING  # step size; divide it by m where m tiles are active. In short runs it is 0.1
    n: int = 4  # rewards in a return


class Memory(NamedTuple):
    """Weights, and the features of the steps whose updates are still to come."""

    weights: ActionWeights
    pending: Pending
    column: Ints  # [n, m]
    phi: Floats  # [n, m]


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory.weights, s)


@brief
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Choose the next action, then learn from the step that is n steps back."""
    weights, pending = memory.weights, memory.pending
    weights.clock[0] += 1
    push(pending, s, a, r)
    copy_row(weights, s, memory, newest(pending))
    a_next = choose(weights, s_next)
    discount = weights.gamma * (1.0 - terminated)
    alpha = rate(weights.alpha, weights.clock[0])
    for _ in range(due(pending, terminated or truncated)):
        then, a_then = pending.ring[0], oldest(pending)[1]
        tail = dot_action(weights.w, weights, s_next, a_next)
        error = n_step_return(pending, weights.gamma, discount, tail) - dot_action(weights.w, memory, then, a_then)
        add_action(weights.w, memory, then, a_then, alpha * error)
        drop(pending)
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, n=1)
    setting, table, config = basis(env, config, lambda memory: memory.weights)
    weights = action_weights(config, setting, table)

    def memory(stream: Any) -> Memory:
        shape = config.n, table.column.shape[1]
        return Memory(weights(stream), make_pending(config.n), np.zeros(shape, np.int64), np.zeros(shape))

    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        memory,
        lambda memory: action_values(memory.weights),
        watched(control_judge(setting, config.gamma)),
    )

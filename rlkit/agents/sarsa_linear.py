"""Sarsa(λ) with linear values, S&B sections 10.1 and 12.7: w ← w + δ e, e ← γ λ e + α φ(s)_a, δ = r + γ φ(s')ᵀw_a' - φ(s)ᵀw_a.

λ = 0, the default, is semi-gradient Sarsa, Zhao section 8.3.1. With Dutch traces it is true online Sarsa(λ); replacing ones are
for features that are 0 or 1. The end of an episode, truncation included, cuts all traces.

With a constant step size q stays as noisy as the actions that explore make the targets: the greedy policy of one-hot
features is good, and seldom optimal in every state. By default it falls from 0.1 to 0.001 over 8 million steps, after which all
actions are optimal on the 5x5 of the book (max_episode_steps=20).
"""

from dataclasses import dataclass
from typing import Any, Literal

from rlkit.learning.basis import FALLING, LinearControl, basis
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.learning.weights import action_values, action_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import brief, kernel
from rlkit.tabular.linear_traces import TracedActions, backup, make_weight_traces
from rlkit.tabular.schedule import Rate, rate
from rlkit.tabular.traces import clear
from rlkit.tabular.weights import add_action, choose, dot_action


@dataclass(frozen=True)
class Config(LinearControl):
    """Sarsa(λ) with linear values."""

    alpha: Rate = FALLING  # step size; divide it by m where m tiles are active. In short runs it is 0.1
    lam: float = 0.0  # λ
    traces: Literal["accumulating", "replacing", "dutch"] = "accumulating"  # dutch: true online Sarsa(λ)


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    clear(memory.traces)
    a = choose(memory.weights, s)
    memory.traces.old[0] = memory.weights.q[0, a]
    return s, a


@brief
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Choose the next action, then learn from it."""
    weights, traces = memory.weights, memory.traces
    weights.clock[0] += 1
    a_next = choose(weights, s_next)
    ahead = weights.q[0, a_next]
    target = r + weights.gamma * (1.0 - terminated) * ahead
    alpha = rate(weights.alpha, weights.clock[0])
    if traces.lam == 0.0:  # no weight but those of φ(s) has a trace
        add_action(weights.w, weights, s, a, alpha * (target - dot_action(weights.w, weights, s, a)))
        return a_next
    w = weights.w.reshape(weights.w.size)
    backup(w, traces, weights, s, a * weights.w.shape[1], alpha, target, ahead, weights.gamma)
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting, table, config = basis(env, config, lambda memory: memory.weights)
    weights, size = action_weights(config, setting, table), table.size * setting.n_actions

    def memory(stream: Any) -> TracedActions:
        return TracedActions(weights(stream), make_weight_traces(size, config.traces, config.lam, binary=table.binary))

    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        memory,
        lambda memory: action_values(memory.weights),
        watched(control_judge(setting, config.gamma)),
    )

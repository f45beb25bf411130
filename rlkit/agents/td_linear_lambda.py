"""TD(λ) with linear values, S&B section 12.2: w ← w + δ e, e ← γ λ e + α φ(s), δ = r + γ φ(s')ᵀw - φ(s)ᵀw.

With Dutch traces it is true online TD(λ), S&B section 12.5 (van Seijen & Sutton 2014), which equals the online λ-return
algorithm; replacing traces are for features that are 0 or 1. λ = 0 is TD-Linear. The end of an episode, truncation
included, cuts all traces.
"""

from dataclasses import dataclass
from typing import Any, Literal

from rlkit.learning.basis import LinearPrediction, basis, policy_of
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import prediction_judge
from rlkit.learning.weights import state_values, state_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import brief, kernel
from rlkit.tabular.linear_traces import TracedStates, backup, make_weight_traces
from rlkit.tabular.prediction import draw_action
from rlkit.tabular.schedule import rate
from rlkit.tabular.traces import clear
from rlkit.tabular.weights import begin_prediction, dot


@dataclass(frozen=True)
class Config(LinearPrediction):
    """TD(λ) with linear values."""

    lam: float = 0.9  # λ
    traces: Literal["accumulating", "replacing", "dutch"] = "dutch"  # dutch: true online TD(λ)


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    clear(memory.traces)
    memory.traces.old[0] = dot(memory.weights.w, memory.weights, s)
    return begin_prediction(memory.weights, s)


@brief
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and draw the next action."""
    weights = memory.weights
    weights.clock[0] += 1
    ahead = dot(weights.w, weights, s_next)
    target = r + weights.gamma * (1.0 - terminated) * ahead
    alpha = rate(weights.alpha, weights.clock[0])
    backup(weights.w, memory.traces, weights, s, 0, alpha, target, ahead, weights.gamma)
    return draw_action(weights.policy_cdf, s_next, weights.stream)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting, table, config = basis(env, config, lambda memory: memory.weights)
    pi = policy_of(config, setting, table)
    weights, traces = state_weights(config, table, pi), (table.size, config.traces, config.lam)

    def memory(stream: Any) -> TracedStates:
        return TracedStates(weights(stream), make_weight_traces(*traces, binary=table.binary))

    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        memory,
        lambda memory: state_values(memory.weights),
        watched(prediction_judge(setting, config.gamma, pi)),
        pi,
    )

"""TD(λ), S&B sections 12.2 and 12.5: v ← v + δ e with δ = r + γ v(s') - v(s), e ← γ λ e, and a trace raised at each visit.

With Dutch traces it is true online TD(λ) (van Seijen & Sutton 2014, algorithm 1), which equals the online λ-return
algorithm exactly, for step sizes that change too. λ = 0 is TD(0) with each of them. The end of an episode, truncation
included, cuts all traces.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from rlkit.learning.config import Prediction
from rlkit.learning.learner import Learner
from rlkit.learning.policy import read_policy
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import state_values
from rlkit.learning.truth import prediction_judge
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import Values, draw_action, step_size
from rlkit.tabular.traces import Traces, backup, clear, make_traces


@dataclass(frozen=True)
class Config(Prediction):
    """TD(λ)."""

    lam: float = 0.9  # λ
    traces: Literal["accumulating", "replacing", "dutch"] = "dutch"  # dutch: true online TD(λ)


class Memory(NamedTuple):
    """State values and their traces."""

    values: Values
    traces: Traces


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    clear(memory.traces)
    memory.traces.old[0] = memory.values.v[s]
    return s, draw_action(memory.values.policy_cdf, s, memory.values.stream)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and draw the next action."""
    values = memory.values
    values.clock[0] += 1
    ahead = values.v[s_next]
    target = r + values.gamma * (1.0 - terminated) * ahead
    backup(values.v, memory.traces, s, step_size(values, s), target, ahead, values.gamma)
    return draw_action(values.policy_cdf, s_next, values.stream)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting = finite(env, config)
    pi = read_policy(config.policy, setting, config.gamma)
    judge = prediction_judge(setting, config.gamma, pi)
    values = state_values(setting, config, pi)

    def memory(stream: Any) -> Memory:
        kinds = "accumulating", "replacing", "dutch"
        return Memory(values(stream), make_traces(setting.n_states, config.traces, config.lam, kinds))

    return Learner(setting, config, seed, Method(begin, learn, run), memory, lambda memory: memory.values.v, judge, pi)

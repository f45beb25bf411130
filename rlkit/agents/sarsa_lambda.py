"""Sarsa(λ), S&B section 12.7: q ← q + δ e with δ = r + γ q(s', a') - q(s, a), e ← γ λ e, and a trace raised at each visit.

A replacing trace can also clear those of the other actions in the state (Singh & Sutton 1996), which is "clearing"
here. With Dutch traces it is true online Sarsa(λ) (van Seijen & Sutton 2014, algorithm 2). λ = 0 is Sarsa with each of
them. The end of an episode, truncation included, cuts all traces.

In the book's 5x5, 4 million steps in episodes of 20 make the policy optimal. In one endless episode no method that
learns about the policy that acts can do so: it settles on the target, and what it would do elsewhere stays as it was.
"""

from dataclasses import dataclass
from typing import Any, Literal

from rlkit.learning.config import Control
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import choose, step_size
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.traces import TracedTable, backup, clear, clear_others, make_traces


@dataclass(frozen=True)
class Config(Control):
    """Sarsa(λ)."""

    lam: float = 0.5  # λ
    traces: Literal["accumulating", "replacing", "clearing", "dutch"] = "replacing"  # dutch: true online Sarsa(λ)


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    clear(memory.traces)
    a = choose(memory.table, s)
    memory.traces.old[0] = memory.table.q[s, a]
    return s, a


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Choose the next action, then learn from it."""
    table, traces = memory.table, memory.traces
    table.clock[0] += 1
    a_next = choose(table, s_next)
    ahead = table.q[s_next, a_next]
    target = r + table.gamma * (1.0 - terminated) * ahead
    n_actions = table.q.shape[1]
    clear_others(traces, s, a, n_actions)
    alpha = step_size(table, s, a)
    backup(table.q.reshape(table.q.size), traces, s * n_actions + a, alpha, target, ahead, table.gamma)
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting = finite(env, config)
    table, size = action_table(setting, config), setting.n_states * setting.n_actions
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: TracedTable(table(stream), make_traces(size, config.traces, config.lam)),
        lambda memory: memory.table.q,
        control_judge(setting, config.gamma),
    )

"""Watkins's Q(λ), S&B section 12.10: q ← q + δ e with δ = r + γ max_a q(s', a) - q(s, a), e ← γ λ e after a greedy action.

After any other action all traces are cut: what comes then is not what the greedy policy would have met. An action is
greedy if none is better under the values by which it is chosen, ties counted. λ = 0 is Q-learning. The more the agent
explores, the shorter its traces: with epsilon 0.1 on five actions, they reach 1 / 0.08 = 12.5 steps back on the
average, whatever λ. The end of an episode, truncation included, cuts them too.

In the book's 5x5, 2 million steps in episodes of 20 make the policy optimal, or 1 million in one endless episode with
epsilon 0.5; with the small epsilon, one endless episode stays at the target and hardly sees the rest.
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
from rlkit.tabular.explore import best
from rlkit.tabular.jit import kernel
from rlkit.tabular.traces import TracedTable, backup, clear, clear_others, make_traces


@dataclass(frozen=True)
class Config(Control):
    """Watkins's Q(λ)."""

    lam: float = 0.9  # λ
    traces: Literal["accumulating", "replacing", "clearing"] = "replacing"


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    clear(memory.traces)
    return s, choose(memory.table, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, choose the next action, and cut the traces where it explores."""
    table, traces = memory.table, memory.traces
    table.clock[0] += 1
    ahead = best(table.q, s_next)
    target = r + table.gamma * (1.0 - terminated) * ahead
    n_actions = table.q.shape[1]
    clear_others(traces, s, a, n_actions)
    alpha = step_size(table, s, a)
    backup(table.q.reshape(table.q.size), traces, s * n_actions + a, alpha, target, ahead, table.gamma)
    a_next = choose(table, s_next)
    if table.q[s_next, a_next] < best(table.q, s_next):
        clear(traces)
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting = finite(env, config)
    table, size = action_table(setting, config), setting.n_states * setting.n_actions
    kinds = "accumulating", "replacing", "clearing"
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: TracedTable(table(stream), make_traces(size, config.traces, config.lam, kinds)),
        lambda memory: memory.table.q,
        control_judge(setting, config.gamma),
    )

"""n-step Sarsa, Zhao (7.16)-(7.17), S&B (7.4): q̄(s_t, a_t) = r_{t+1} + γ r_{t+2} + ... + γⁿ q(s_{t+n}, a_{t+n}).

An update waits until its n rewards have come. When the episode ends, those that still wait are made, the oldest first:
with the rewards that there are after a termination, and with q of the last state and the action that would have come
next added after a truncation. n = 1 is Sarsa; n as long as an episode is every-visit Monte Carlo.

In the book's 5x5, 4 million steps in episodes of 20 make the policy optimal; the longer the return, the more of what
exploring costs it brings with it, and the more steps it takes (n = 3: 10 million). In one endless episode no method that
learns about the policy that acts can do so: it settles on the target, and what it would do elsewhere stays as it was.
"""

from dataclasses import dataclass
from typing import Any

from rlkit.learning.config import Control, check
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import choose, update
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.multistep import DelayedTable, drop, due, make_pending, n_step_return, oldest, push


@dataclass(frozen=True)
class Config(Control):
    """n-step Sarsa."""

    n: int = 2  # rewards in a return


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, choose(memory.table, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Choose the next action, then learn from the step that is n steps back."""
    table, pending = memory.table, memory.pending
    table.clock[0] += 1
    push(pending, s, a, r)
    a_next = choose(table, s_next)
    discount = table.gamma * (1.0 - terminated)
    for _ in range(due(pending, terminated or truncated)):
        s_then, a_then = oldest(pending)
        update(table, s_then, a_then, n_step_return(pending, table.gamma, discount, table.q[s_next, a_next]))
        drop(pending)
    return a_next


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, n=1)
    setting = finite(env, config)
    table = action_table(setting, config)
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: DelayedTable(table(stream), make_pending(config.n)),
        lambda memory: memory.table.q,
        control_judge(setting, config.gamma),
    )

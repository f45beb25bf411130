"""Q-learning with linear values, Zhao (8.32): w_a ← w_a + α (r + γ max_b φ(s')ᵀw_b - φ(s)ᵀw_a) φ(s).

Off-policy, bootstrapped and approximate at once, it can diverge, which its reports say; one-hot features make it
Q-learning of tables.
"""

from dataclasses import dataclass
from typing import Any

from rlkit.learning.basis import LinearControl, basis
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import control_judge
from rlkit.learning.weights import action_values, action_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.explore import best
from rlkit.tabular.jit import brief, kernel
from rlkit.tabular.schedule import rate
from rlkit.tabular.weights import add_action, begin_control, choose, dot_action, look


@dataclass(frozen=True)
class Config(LinearControl):
    """Q-learning with linear values."""


begin = begin_control


@brief
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and choose the next action."""
    memory.clock[0] += 1
    look(memory, s_next)
    target = r + memory.gamma * (1.0 - terminated) * best(memory.q, 0)
    error = target - dot_action(memory.w, memory, s, a)
    add_action(memory.w, memory, s, a, rate(memory.alpha, memory.clock[0]) * error)
    return choose(memory, s_next)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting, table, config = basis(env, config)
    judge = watched(control_judge(setting, config.gamma))
    weights = action_weights(config, setting, table)
    return Learner(setting, config, seed, Method(begin, learn, run, from_data=True), weights, action_values, judge)

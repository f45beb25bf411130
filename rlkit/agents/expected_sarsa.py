"""Expected Sarsa, Zhao (7.15): q̄ = r + γ Σ_a π(a|s') q(s', a)."""

from dataclasses import dataclass
from typing import Any

from rlkit.arrays import Floats
from rlkit.learning.config import Control
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table, action_values
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import begin, off_policy
from rlkit.tabular.drive import drive
from rlkit.tabular.explore import expected
from rlkit.tabular.jit import kernel


@dataclass(frozen=True)
class Config(Control):
    """Expected Sarsa."""


@kernel
def target(q: Floats, reward: float, discount: float, s_next: int, a_next: int, behaviour: Any) -> float:  # noqa: ARG001
    """Return r + γ Σ_a π(a|s') q(s', a), π the policy that acts."""
    return reward + discount * expected(q, s_next, behaviour)


@kernel
def learn(table: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and choose the next action."""
    return off_policy(target, table, s, a, r, s_next, terminated)


@kernel
def run(world: Any, table: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, table, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting = finite(env, config)
    judge = control_judge(setting, config.gamma)
    method = Method(begin, learn, run, from_data=True)
    return Learner(setting, config, seed, method, action_table(setting, config), action_values, judge)

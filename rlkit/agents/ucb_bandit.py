"""Upper-confidence-bound bandit, S&B (2.10): a = argmax_a q(a) + c sqrt(ln t / n(a)); q(a) ← q(a) + α (r - q(a))."""

from dataclasses import dataclass
from typing import Any

from rlkit.learning.bandits import check_one_state
from rlkit.learning.config import Control, Exploring
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import action_table, action_values
from rlkit.learning.truth import control_judge
from rlkit.tabular.control import begin, choose, update
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.schedule import Rate


@dataclass(frozen=True)
class Config(Control):
    """Upper-confidence-bound bandit, for a world of one state; gamma plays no role."""

    alpha: Rate = "1/n"  # step size: "1/n" is the mean of an action's rewards; a constant follows values that drift
    explore: Exploring = "ucb"  # there is no other; for epsilon-greedy bandits take q_learning with gamma 0


@kernel
def learn(table: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a reward, and choose the next action."""
    table.clock[0] += 1
    update(table, s, a, r)
    return choose(table, s_next)


@kernel
def run(world: Any, table: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, table, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent. Actions that were never tried come first; ties are broken at random."""
    setting = finite(env, config)
    check_one_state(setting, 'q_learning with explore="ucb"')
    if config.explore != "ucb":
        raise ValueError(f"explore is {config.explore!r}; for a bandit that explores so, take q_learning with gamma=0")
    judge = control_judge(setting, config.gamma)
    return Learner(
        setting, config, seed, Method(begin, learn, run), action_table(setting, config), action_values, judge
    )

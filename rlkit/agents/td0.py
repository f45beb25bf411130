"""TD(0), Zhao (7.1): v̄ = r + γ v(s'), under a given policy."""

from dataclasses import dataclass
from typing import Any

from rlkit.learning.config import Prediction
from rlkit.learning.learner import Learner
from rlkit.learning.policy import read_policy
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import state_values, values_of
from rlkit.learning.truth import prediction_judge
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import begin, draw_action, update


@dataclass(frozen=True)
class Config(Prediction):
    """TD(0)."""


@kernel
def learn(values: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and draw the next action."""
    values.clock[0] += 1
    update(values, s, r + values.gamma * (1.0 - terminated) * values.v[s_next])
    return draw_action(values.policy_cdf, s_next, values.stream)


@kernel
def run(world: Any, values: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, values, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting = finite(env, config)
    pi = read_policy(config.policy, setting, config.gamma)
    judge = prediction_judge(setting, config.gamma, pi)
    return Learner(
        setting, config, seed, Method(begin, learn, run), state_values(setting, config, pi), values_of, judge, pi
    )

"""TD-Linear, Zhao (8.13), semi-gradient TD(0), S&B section 9.3: w ← w + α (r + γ φ(s')ᵀw - φ(s)ᵀw) φ(s), under a given policy."""

from dataclasses import dataclass
from typing import Any

from rlkit.learning.basis import LinearPrediction, basis, policy_of
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import prediction_judge
from rlkit.learning.weights import state_values, state_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import brief, kernel
from rlkit.tabular.prediction import draw_action
from rlkit.tabular.schedule import rate
from rlkit.tabular.weights import add, begin_prediction, dot


@dataclass(frozen=True)
class Config(LinearPrediction):
    """TD-Linear."""


begin = begin_prediction


@brief
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and draw the next action."""
    memory.clock[0] += 1
    error = r + memory.gamma * (1.0 - terminated) * dot(memory.w, memory, s_next) - dot(memory.w, memory, s)
    add(memory.w, memory, s, rate(memory.alpha, memory.clock[0]) * error)
    return draw_action(memory.policy_cdf, s_next, memory.stream)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    setting, table, config = basis(env, config)
    pi = policy_of(config, setting, table)
    judge = watched(prediction_judge(setting, config.gamma, pi))
    method = Method(begin, learn, run)
    return Learner(setting, config, seed, method, state_weights(config, table, pi), state_values, judge, pi)

"""n-step TD, S&B (7.2): v̄(s_t) = r_{t+1} + γ r_{t+2} + ... + γⁿ⁻¹ r_{t+n} + γⁿ v(s_{t+n}), under a given policy.

An update waits until its n rewards have come. When the episode ends, those that still wait are made, the oldest first:
with the rewards that there are after a termination, and with v of the last state added after a truncation. n = 1 is
TD(0); n as long as an episode is every-visit Monte Carlo.
"""

from dataclasses import dataclass
from typing import Any

from rlkit.learning.config import Prediction, check
from rlkit.learning.learner import Learner
from rlkit.learning.policy import read_policy
from rlkit.learning.setting import Environment, finite
from rlkit.learning.stepped import Method
from rlkit.learning.tables import state_values
from rlkit.learning.truth import prediction_judge
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.multistep import DelayedValues, drop, due, make_pending, n_step_return, oldest, push
from rlkit.tabular.prediction import draw_action, update


@dataclass(frozen=True)
class Config(Prediction):
    """n-step TD."""

    n: int = 4  # rewards in a return


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return s, draw_action(memory.values.policy_cdf, s, memory.values.stream)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:
    """Learn from the step that is n steps back, and draw the next action."""
    values, pending = memory.values, memory.pending
    values.clock[0] += 1
    push(pending, s, a, r)
    discount = values.gamma * (1.0 - terminated)
    for _ in range(due(pending, terminated or truncated)):
        update(values, oldest(pending)[0], n_step_return(pending, values.gamma, discount, values.v[s_next]))
        drop(pending)
    return draw_action(values.policy_cdf, s_next, values.stream)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent."""
    check(config, n=1)
    setting = finite(env, config)
    pi = read_policy(config.policy, setting, config.gamma)
    judge = prediction_judge(setting, config.gamma, pi)
    values = state_values(setting, config, pi)
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: DelayedValues(values(stream), make_pending(config.n)),
        lambda memory: memory.values.v,
        judge,
        pi,
    )

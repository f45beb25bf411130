"""Gradient TD, S&B section 11.7 (Sutton et al. 2009): linear values of one policy from the steps of another, without divergence.

ρ = π(a|s) / b(a|s), δ = r + γ x'ᵀw - xᵀw, and u ← u + β ρ (δ - uᵀx) x beside w:
GTD2           w ← w + α ρ (uᵀx) (x - γ x')
TDC            w ← w + α ρ (δ x - γ (uᵀx) x')
semi-gradient  w ← w + α ρ δ x, S&B (11.2), which diverges on Baird's counterexample, and needs no u
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from rlkit.arrays import Floats
from rlkit.learning.basis import LinearPrediction, basis, policy_of
from rlkit.learning.config import Policy
from rlkit.learning.learner import Learner
from rlkit.learning.setting import Environment
from rlkit.learning.stepped import Method
from rlkit.learning.truth import prediction_judge
from rlkit.learning.weights import counting_steps, state_values, state_weights, watched
from rlkit.tabular.drive import drive
from rlkit.tabular.jit import kernel
from rlkit.tabular.prediction import draw_action
from rlkit.tabular.schedule import Rate, bounded, rate
from rlkit.tabular.weights import StateWeights, add, begin_prediction, dot

Update = Literal["tdc", "gtd2", "semi-gradient"]
TDC, GTD2, SEMI_GRADIENT = range(3)


@dataclass(frozen=True)
class Config(LinearPrediction):
    """Gradient TD; `policy` is the one that is valued, π."""

    alpha: Rate = 0.02  # step size of w
    beta: Rate = 0.1  # step size of u
    behaviour: Policy = "uniform"  # the policy that acts, b; written as `policy` is
    method: Update = "tdc"  # "tdc", "gtd2" or "semi-gradient"


class Memory(NamedTuple):
    """Weights, and those that estimate the TD error."""

    weights: StateWeights
    u: Floats  # [d]
    ratio: Floats  # [R, A]  ρ
    beta: Floats  # [7]  a packed schedule
    method: int


@kernel
def begin(memory: Any, s: int) -> tuple[int, int]:
    """Begin an episode in s."""
    return begin_prediction(memory.weights, s)


@kernel
def learn(memory: Any, s: int, a: int, r: float, s_next: int, terminated: bool, truncated: bool) -> int:  # noqa: ARG001
    """Learn from a step, and draw the next action."""
    weights = memory.weights
    weights.clock[0] += 1
    w, u, rho = weights.w, memory.u, memory.ratio[np.uintp(s), np.uintp(a)]
    discount = weights.gamma * (1.0 - terminated)
    step = rate(weights.alpha, weights.clock[0]) * rho
    error = r + discount * dot(w, weights, s_next) - dot(w, weights, s)
    if memory.method == SEMI_GRADIENT:
        add(w, weights, s, step * error)
    else:
        expected = dot(u, weights, s)
        add(w, weights, s, step * (expected if memory.method == GTD2 else error))
        add(w, weights, s_next, -step * discount * expected)
        add(u, weights, s, rate(memory.beta, weights.clock[0]) * rho * (error - expected))
    return draw_action(weights.policy_cdf, s_next, weights.stream)


@kernel
def run(world: Any, memory: Any, place: Any, steps: int) -> int:
    """Drive the agent through a compiled world."""
    return drive(begin, learn, world, memory, place, steps)


def make(env: Environment, config: Config, seed: int = 0) -> Learner:
    """Build the agent.

    Raises:
        ValueError: the policy takes an action that the behaviour never does, so that nothing is learned of it.
    """
    if config.method not in get_args(Update):
        raise ValueError(f"method is {config.method!r}; choose one of {', '.join(map(repr, get_args(Update)))}")
    setting, table, config = basis(env, config, lambda memory: memory.weights)
    pi, b = (policy_of(config, setting, table, name) for name in ("policy", "behaviour"))
    missing = np.argwhere((pi > 0.0) & (b == 0.0))
    if len(missing):
        s, a = missing[0]
        raise ValueError(f"policy takes action {a} in state {s}, which behaviour never does")
    ratio = np.divide(pi, b, out=np.zeros_like(pi), where=b > 0.0)
    weights, beta = (
        state_weights(config, table, b),
        counting_steps(bounded(config.beta, "beta", 0.0, 1.0), "beta", config.beta),
    )
    kind = get_args(Update).index(config.method)
    return Learner(
        setting,
        config,
        seed,
        Method(begin, learn, run),
        lambda stream: Memory(weights(stream), np.zeros(table.size), ratio, beta.packed(), kind),
        lambda memory: state_values(memory.weights),
        watched(prediction_judge(setting, config.gamma, pi)),
        pi,
    )

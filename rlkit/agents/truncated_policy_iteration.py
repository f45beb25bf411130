"""Truncated policy iteration, Zhao algorithm 4.3 (modified policy iteration, Puterman 6.5): a few evaluation sweeps."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rlkit.tabular.bellman import evaluate, greedy
from rlkit.tabular.planner import Plan, Planner, certify_plan, check_config, first_values
from rlkit.tabular.problem import Problem, World, make_problem


@dataclass(frozen=True)
class Config:
    """Truncated policy iteration."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # stop when max |v - v*| is proven to be at most this
    evaluations: int = 10  # sweeps of policy evaluation; 1 is value iteration, infinitely many is policy iteration


def make(world: World, config: Config, seed: int = 0) -> Planner:  # noqa: ARG001 - nothing is random here
    """Build the planner; it starts from v = 0, at gamma 1 from the value of a policy that ends."""
    check_config(config, evaluations=1)
    problem = make_problem(world, config.gamma)
    return Planner(problem, config, _rounds, first_values(problem))


def _rounds(problem: Problem, config: Config, plan: Plan) -> Iterator[dict[str, float]]:
    spare = np.empty_like(plan.v)
    while True:
        changed = greedy(problem.model, plan.v, plan.policy, -np.inf)
        for _ in range(config.evaluations):
            evaluate(problem.model, plan.policy, plan.v, spare)
            plan.v, spare = spare, plan.v
        plan.work += 1 + config.evaluations / problem.n_actions
        yield {"changed": float(changed), "residual": certify_plan(problem, plan).residual}

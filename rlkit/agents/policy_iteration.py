"""Policy iteration, Zhao algorithm 4.2: v = (I - gamma P_pi)^-1 r_pi, then pi greedy for v, until nothing is better."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlkit.tabular.bellman import greedy
from rlkit.tabular.certificate import rounding_error
from rlkit.tabular.ends import ending_policy
from rlkit.tabular.linear import policy_value
from rlkit.tabular.planner import Plan, Planner, certify_plan, check_config
from rlkit.tabular.problem import Problem, World, make_problem


@dataclass(frozen=True)
class Config:
    """Policy iteration."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # stop when max |v - v*| is proven to be at most this


def make(world: World, config: Config, seed: int = 0) -> Planner:  # noqa: ARG001 - nothing is random here
    """Build the planner; it starts from action 0 everywhere (at gamma 1, from a policy that ends)."""
    check_config(config)
    problem = make_problem(world, config.gamma)
    planner = Planner(problem, config, _rounds, np.zeros(problem.n_states))
    if config.gamma == 1.0:
        planner.plan.policy = ending_policy(problem.model)
    return planner


def _rounds(problem: Problem, config: Config, plan: Plan) -> Iterator[dict[str, float]]:  # noqa: ARG001 - a Loop's signature
    while True:
        plan.v = _value(problem, plan.policy)
        # An action must be better by more than the solve can be wrong; else tied actions swap for ever.
        error = rounding_error(problem.model, float(np.abs(plan.v).max()))
        changed = greedy(problem.model, plan.v, plan.policy, 8 * error)
        plan.work += 1
        proof = certify_plan(problem, plan)
        yield {"changed": float(changed), "residual": proof.residual}
        if not changed:
            return


def _value(problem: Problem, policy: NDArray[np.int64]) -> NDArray[np.float64]:
    v = policy_value(problem.model, policy, problem.gamma)
    if v is None:
        raise ValueError(
            "gamma is 1, and a policy on the way ends too rarely for floating point to tell its value; use gamma < 1"
        )
    return v

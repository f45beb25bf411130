"""Linear programming, Puterman section 6.9: min Σ_s v(s) / S subject to v(s) >= r(s, a) + gamma Σ_s' p(s'|s, a) v(s')."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from rlkit.tabular.linear import exact_value, rows
from rlkit.tabular.planner import Plan, Planner, certify_plan, check_config
from rlkit.tabular.problem import Problem, World, make_problem


@dataclass(frozen=True)
class Config:
    """Linear programming."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # max |v - v*| that counts as solved


def make(world: World, config: Config, seed: int = 0) -> Planner:  # noqa: ARG001 - nothing is random here
    """Build the planner for a world with a model.

    v* is the least v that no action can improve, so that it minimises any positively weighted sum of values; at
    gamma = 1 it is the best that policies which end can do. One round solves the program.
    """
    check_config(config)
    problem = make_problem(world, config.gamma)
    return Planner(problem, config, _loop, np.zeros(problem.n_states))


def _loop(problem: Problem, config: Config, plan: Plan) -> Iterator[dict[str, float]]:  # noqa: ARG001 - a Loop's signature
    n_states, n_actions = problem.n_states, problem.n_actions
    discounted, reward = rows(problem.model)
    scale = float(np.abs(reward).max()) or 1.0  # HiGHS's tolerances are absolute
    pairs = np.arange(n_states * n_actions)
    own = csr_array((np.ones(len(pairs)), (pairs, pairs // n_actions)), shape=discounted.shape)
    solution = linprog(  # type: ignore[call-overload] # scipy's types know no sparse A_ub
        np.full(n_states, 1.0 / n_states),
        A_ub=discounted - own,
        b_ub=-reward / scale,
        bounds=(None, None),
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},  # the least HiGHS takes
    )
    if solution.x is None:
        raise ValueError(
            f"HiGHS finds no optimal values at gamma {problem.gamma}: {solution.message} Use policy_iteration, or a lower gamma"
        )
    # The vertex is where one constraint a state is tight, the one with a positive dual. Solved as equations, it is free
    # of HiGHS's tolerance.
    occupancy = -solution.ineqlin.marginals.reshape(n_states, n_actions)
    vertex = exact_value(problem.model, occupancy.argmax(axis=1))
    plan.v[:] = scale * solution.x if vertex is None else vertex
    plan.work += 1.0
    proof = certify_plan(problem, plan)
    yield {"residual": proof.residual, "iterations": float(solution.nit), "objective": float(plan.v.mean())}

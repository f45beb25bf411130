"""Inexact policy iteration (Dembo-Eisenstat-Steihaug forcing): each policy evaluated by Krylov, as far as it pays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import LinearOperator, bicgstab

from rlkit.tabular.bellman import evaluate, greedy, residual
from rlkit.tabular.linear import policy_system
from rlkit.tabular.planner import Plan, Planner, certify_plan, check_config
from rlkit.tabular.problem import Problem, World, make_problem


@dataclass(frozen=True)
class Config:
    """Inexact policy iteration."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # stop when max |v - v*| is proven to be at most this
    forcing: float = 0.1  # solve until the residual of the policy's equation is this part of Bellman's residual
    iterations: int = 100  # of BiCGStab for one policy at most
    fallback: int = 50  # plain evaluation sweeps for a policy on which BiCGStab stalls


def make(world: World, config: Config, seed: int = 0) -> Planner:  # noqa: ARG001 - nothing is random here
    """Build the planner; it starts from v = 0."""
    check_config(config, iterations=1, fallback=1)
    if not 0.0 < config.forcing < 1.0:
        raise ValueError(f"forcing is {config.forcing}; it must lie between 0 and 1")
    problem = make_problem(world, config.gamma)
    if config.gamma == 1.0:
        raise ValueError(
            "gamma is 1, where a policy on the way may never end and Krylov's method returns anything for its value; "
            "use value_iteration or policy_iteration, or gamma < 1"
        )
    return Planner(problem, config, _rounds, np.zeros(problem.n_states))


def _rounds(problem: Problem, config: Config, plan: Plan) -> Iterator[dict[str, float]]:
    """Take Krylov's solution where it raises the lower bound of v* as a sweep would, the mean over states; else solve better.

    The exact value of the policy always does. What only meets the forcing term need not, and policies can then follow
    each other in circles.
    """
    spare = np.empty_like(plan.v)
    while True:
        changed = greedy(problem.model, plan.v, plan.policy, -np.inf)
        transition, reward = policy_system(problem.model, plan.policy)
        gap = reward + transition @ plan.v - plan.v  # Bellman's residual, since the policy is greedy
        size = float(np.abs(gap).max()) or 1.0
        enough = _floor(plan.v + gap, problem.gamma * float(gap.min()), problem.gamma)
        correction, used = np.zeros_like(plan.v), 0
        for target in (config.forcing, config.forcing * (1 - problem.gamma)):
            correction, products = _krylov(transition, gap / size, correction, target, config.iterations)
            used += products
            solution = plan.v + size * correction
            extremes = residual(problem.model, solution)
            if _floor(solution, extremes[0], problem.gamma) >= enough:
                plan.v = solution
                break
        else:
            for _ in range(config.fallback):
                evaluate(problem.model, plan.policy, plan.v, spare)
                plan.v, spare = spare, plan.v
            used += config.fallback
            extremes = residual(problem.model, plan.v)
        plan.work += 1 + used / problem.n_actions
        proof = certify_plan(problem, plan, extremes)
        yield {"changed": float(changed), "krylov": float(used), "residual": proof.residual}


def _floor(v: NDArray[np.float64], low: float, gamma: float) -> float:
    """Return the mean over states of a lower bound of v*, where T v - v >= low."""
    return float(v.mean()) + min(low, 0.0) / (1 - gamma)


def _krylov(
    transition: csr_array, right: NDArray[np.float64], x: NDArray[np.float64], target: float, iterations: int
) -> tuple[NDArray[np.float64], int]:
    """Run BiCGStab on (I - gamma P) x = right from x, scaled by the diagonal; return the solution and the products used.

    The right side is of size one: BiCGStab takes what is small as such for a breakdown.
    """
    size = len(right)
    system = csr_array(eye_array(size, format="csr") - transition)
    scale = 1.0 / system.diagonal()
    used = [0]

    def count(_: NDArray[np.float64]) -> None:
        used[0] += 2

    solution, _ = bicgstab(
        system,
        right,
        x0=x,
        rtol=0.0,
        atol=target,
        maxiter=iterations,
        M=LinearOperator((size, size), matvec=lambda x: scale * x),
        callback=count,
    )
    return np.asarray(solution, np.float64), used[0]

"""Value iteration, Zhao (4.1): v_{k+1} = max_pi (r_pi + gamma P_pi v_k), in any order of the states."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from rlkit.tabular.bellman import gauss_seidel, jacobi
from rlkit.tabular.ends import edges
from rlkit.tabular.planner import Plan, Planner, centre, certify_plan, check_config, first_values
from rlkit.tabular.problem import Problem, World, make_problem

Order = Literal["jacobi", "gauss-seidel", "red-black", "random"]
Stop = Literal["sup", "span"]


@dataclass(frozen=True)
class Config:
    """Value iteration."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # stop when max |v - v*| is proven to be at most this
    order: Order = "jacobi"  # from the old values alone, in place by index, in place by colour, or in random order
    stop: Stop = "sup"  # span: where no episode ends, return the middle of the bounds


def make(world: World, config: Config, seed: int = 0) -> Planner:
    """Build the planner; it starts from v = 0, at gamma 1 from the value of a policy that ends."""
    check_config(config)
    for name, choices in (("order", get_args(Order)), ("stop", get_args(Stop))):
        if getattr(config, name) not in choices:
            raise ValueError(f"{name} is {getattr(config, name)!r}; choose one of {', '.join(map(repr, choices))}")
    problem = make_problem(world, config.gamma)

    def sweeps(problem: Problem, config: Config, plan: Plan) -> Iterator[dict[str, float]]:
        order = _order(problem, config.order)
        spare = np.empty_like(plan.v)
        while True:
            if config.order == "jacobi":
                jacobi(problem.model, plan.v, spare)
                plan.v, spare = spare, plan.v
            else:
                if (
                    config.order == "random"
                ):  # the sweep's number is in the seed, so that a resumed run goes on the same
                    order = np.random.default_rng([seed, int(plan.work)]).permutation(problem.n_states)
                gauss_seidel(problem.model, plan.v, order)
            plan.work += 1
            proof = certify_plan(problem, plan)
            if config.stop == "span" and problem.ergodic and proof.span_bound <= config.tolerance:
                centre(plan, proof)
            yield {"residual": proof.residual}

    return Planner(problem, config, sweeps, first_values(problem))


def _order(problem: Problem, name: Order) -> NDArray[np.int64]:
    """Return the order in which a sweep visits the states; red-black colours them by their distance's parity."""
    by_index = np.arange(problem.n_states)
    if name != "red-black":
        return by_index
    source, _, target = edges(problem.model)
    graph = coo_array((np.ones(len(source)), (source, target)), shape=(len(by_index), len(by_index))).tocsr()
    colour = np.full(len(by_index), -1)
    for root in range(problem.n_states):
        if colour[root] < 0:
            visited, parent = breadth_first_order(graph, root, directed=False)
            for s in visited:
                if colour[s] < 0:
                    colour[s] = 0 if parent[s] < 0 else 1 - colour[parent[s]]
    return np.argsort(colour, kind="stable")

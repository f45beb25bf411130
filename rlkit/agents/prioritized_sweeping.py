"""Prioritized sweeping in blocks (Moore & Atkeson 1993; Wingate & Seppi 2005): back up only where something changed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlkit.tabular.blocks import block_residuals, relax
from rlkit.tabular.ends import masses
from rlkit.tabular.model import Sparse, dense_table, without_self_loops
from rlkit.tabular.partition import BLOCK, partition
from rlkit.tabular.planner import Plan, Planner, centre, certify_plan, check_config, first_values
from rlkit.tabular.problem import Problem, World, make_problem
from rlkit.team import Team

_WORTH_THREADS = 1 << 15  # states; in a smaller world handing over the work takes longer than doing it


@dataclass(frozen=True)
class Config:
    """Prioritized sweeping: Gauss-Seidel value iteration over the blocks whose successors have changed."""

    gamma: float = 0.9  # discount
    tolerance: float = 1e-6  # stop when max |v - v*| is proven to be at most this
    threads: int = 1  # the result depends on this number, but never on timing
    passes: int = 256  # passes over the pending blocks between two reports
    structure: bool = True  # look for local rules in the arrays


def make(world: World, config: Config, seed: int = 0) -> Planner:  # noqa: ARG001 - nothing is random here
    """Build the planner; it starts from the value of earning the median state's best reward for ever."""
    check_config(config, threads=1, passes=1)
    problem = make_problem(world, config.gamma, structure=config.structure)
    return Planner(problem, config, _rounds, _start(problem))


def _rounds(problem: Problem, config: Config, plan: Plan) -> Iterator[dict[str, float]]:
    """Sweep where something is pending; then let Bellman's residual say where there is still work.

    A change counts when it passes half the residual that the tolerance asks for. Small changes that were let pass may
    add up; the residual, which each round begins with and the bound follows from, finds the blocks where they have.
    """
    team = Team(config.threads if problem.n_states >= _WORTH_THREADS else 1)
    model = without_self_loops(problem.model, problem.gamma, team)
    blocks = partition(model, team)
    pending = np.empty(len(blocks.indptr) - 1)
    block_residuals(problem.model, plan.v, pending, team)
    target = config.tolerance * (1 - problem.rate) if problem.rate < 1 else 1e-3 * config.tolerance
    while True:
        made, swept = relax(model, plan.v, pending, blocks, team, target / 2, config.passes)
        plan.work += swept * BLOCK / problem.n_states
        proof = certify_plan(problem, plan, block_residuals(problem.model, plan.v, pending, team))
        if problem.ergodic and proof.span_bound < proof.bound / 2:
            centre(plan, proof)
            block_residuals(problem.model, plan.v, pending, team)
        yield {"residual": proof.residual, "passes": float(made)}
        if not swept:  # at gamma 1: all has settled, and yet nothing is proven
            return


def _start(problem: Problem) -> NDArray[np.float64]:
    """Return c / (1 - w), c and w the medians over states of the best reward and its weight; at gamma 1 see `first_values`.

    Most states of a large world lie far from anything but its running cost; starting from what that amounts to saves
    the 1 / (1 - gamma) sweeps in which the cost would add up.
    """
    if problem.gamma == 1.0:
        return first_values(problem)
    model, mass = problem.model, masses(problem.model)
    if isinstance(model, Sparse):
        reward, count = model.reward.reshape(mass.shape), np.ones(len(mass), np.int64)
    else:
        reward, count = dense_table(model)[1], np.bincount(model.rule, minlength=len(mass))
    best = reward.argmax(axis=1)
    each = np.arange(len(reward))
    gain, going = reward[each, best], mass[each, best]
    alive = going > 0
    if not alive.any():
        return np.zeros(problem.n_states)
    middle = _median(gain[alive], count[alive]) / (1 - _median(going[alive], count[alive]))
    return np.full(problem.n_states, middle)


def _median(values: NDArray[np.float64], count: NDArray[np.int64]) -> float:
    """Return the median of values that occur `count` times each."""
    order = np.argsort(values)
    total = np.cumsum(count[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])

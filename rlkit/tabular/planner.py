"""What all planners share: the plan they improve, and the agent that runs their loop until the plan is proven good."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Report
from rlkit.tabular.bellman import greedy, near_best, residual
from rlkit.tabular.certificate import Certificate, prove
from rlkit.tabular.ends import ending_policy
from rlkit.tabular.linear import policy_value
from rlkit.tabular.problem import Problem


class PlannerConfig(Protocol):
    """What `Planner` reads from a planner's configuration."""

    @property
    def gamma(self) -> float: ...  # the discount
    @property
    def tolerance(self) -> float: ...  # the proven max |v - v*| to stop at


@dataclass
class Plan:
    """What a planner knows so far."""

    v: NDArray[np.float64]  # [S]
    policy: NDArray[np.int64]  # [S]
    bound: float = np.inf  # proven max |v - v*|
    rounding: float = 0.0  # the part of the bound that more work cannot remove
    work: float = 0.0  # backups of one action value, in units of S * A: sweeps


Loop = Callable[[Problem, Any, Plan], Iterator[dict[str, float]]]


class Planner:
    """An agent that plans: `loop` improves the plan and yields scalars after each round; Planner counts and stops.

    A loop sets plan.bound (by `certify_plan`) and must go on from nothing but the plan, which makes it resumable.
    """

    def __init__(self, problem: Problem, config: PlannerConfig, loop: Loop, v: NDArray[np.float64]) -> None:
        self.problem = problem
        self.config = config
        self.plan = Plan(v, np.zeros(problem.n_states, np.int64))
        self.step = 0
        self._loop = loop
        self._acting: tuple[int, NDArray[np.int64]] | None = None  # the step and its greedy policy, for `act`

    @property
    def v(self) -> NDArray[np.float64]:
        """Values [S]."""
        return self.plan.v

    @property
    def policy(self) -> NDArray[np.int64]:
        """The greedy policy [S] for `v`; ties go to the lowest action."""
        policy = np.zeros(self.problem.n_states, np.int64)
        greedy(self.problem.model, self.plan.v, policy, -np.inf)
        return policy

    @property
    def bound(self) -> float:
        """The proven distance max |v - v*|; infinite before the first round."""
        return self.plan.bound

    @property
    def converged(self) -> bool:
        """Whether the bound has reached the tolerance, or what floating point allows."""
        return self.plan.bound <= max(self.config.tolerance, 4 * self.plan.rounding)

    def q(self) -> NDArray[np.float64]:
        """Return the action values [S, A] of `v`."""
        return self.problem.q(self.plan.v)

    def optimal_actions(self) -> NDArray[np.bool_]:
        """Return [S, A]: the actions that cannot be told from the best ones, given the bound."""
        return near_best(self.q(), self.problem.gamma * self.plan.bound)

    def act(self, obs: Any, *, explore: bool = False) -> Any:  # noqa: ARG002 - a planner has nothing to explore
        """Return the greedy action for a state, or the actions for an array of states."""
        if self._acting is None or self._acting[0] != self.step:
            self._acting = (self.step, self.policy)
        policy = self._acting[1]
        return int(policy[obs]) if np.ndim(obs) == 0 else policy[np.asarray(obs)]

    def updates(self, steps: int) -> Iterator[Report]:
        """Run at most `steps` rounds, fewer when the plan is proven good enough or, at gamma 1, cannot change any more."""
        if self.converged:
            return
        for _, scalars in zip(range(steps), self._loop(self.problem, self.config, self.plan), strict=False):
            self.step += 1
            yield Report(self.step, {**scalars, "bound": self.plan.bound, "sweeps": self.plan.work})
            if self.converged or (self.plan.bound == np.inf and scalars["residual"] <= self._last_bit()):
                return

    def _last_bit(self) -> float:
        """Return the change that the largest value would hardly feel."""
        return float(np.finfo(np.float64).eps * np.abs(self.plan.v).max())

    def state_dict(self) -> dict[str, Any]:
        """Return the plan and the count of rounds."""
        plan = self.plan
        return {
            "v": plan.v.copy(),
            "policy": plan.policy.copy(),
            "bound": plan.bound,
            "rounding": plan.rounding,
            "work": plan.work,
            "step": self.step,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a plan of the same size.

        Raises:
            ValueError: the plan is for another number of states.
        """
        v = np.array(state["v"], np.float64)
        if v.shape != self.plan.v.shape:
            raise ValueError(f"the saved plan has {len(v)} states, this problem {self.problem.n_states}")
        policy = np.array(state["policy"], np.int64)
        self.plan = Plan(v, policy, float(state["bound"]), float(state["rounding"]), float(state["work"]))
        self.step = int(state["step"])
        self._acting = None


def first_values(problem: Problem) -> NDArray[np.float64]:
    """Return [S] where sweeps begin: 0; at gamma 1 the value of a policy that ends.

    From there they rise to the best value of the policies that end, v*, and never pass it, whereas from 0 they could
    stay where a free circle does: T v <= v* for v <= v*, and T v >= r_pi + P_pi v, which leads to the value of any pi
    that ends (Bertsekas & Yu, Stochastic shortest path problems under weak conditions, LIDS-P-2909, 2013).

    Raises:
        ValueError: an end is too rare for floating point.
    """
    if problem.gamma < 1.0:
        return np.zeros(problem.n_states)
    v = policy_value(problem.model, ending_policy(problem.model), 1.0)
    if v is None:
        raise ValueError("gamma is 1, but an end is too rare for floating point to tell; use gamma < 1")
    return v


def certify_plan(problem: Problem, plan: Plan, extremes: tuple[float, float, float] | None = None) -> Certificate:
    """Prove how good plan.v is and write it into the plan; extremes are those of `residual`, where known already."""
    extremes = extremes or residual(problem.model, plan.v)
    proof = prove(problem.model, plan.v, problem.rate, problem.ergodic, extremes)
    plan.bound, plan.rounding = proof.bound, proof.rounding
    return proof


def centre(plan: Plan, proof: Certificate) -> None:
    """Shift plan.v to the middle of its bounds, which halves their span (Puterman 6.6.2); right for ergodic problems."""
    plan.v += (proof.lower + proof.upper) / 2
    plan.bound = proof.span_bound + proof.rounding


def check_config(config: PlannerConfig, **at_least: int) -> None:
    """Refuse a configuration that no planner can run with.

    Raises:
        ValueError: naming the field and its value.
    """
    if not 0.0 < config.tolerance < np.inf:
        raise ValueError(f"tolerance is {config.tolerance}; it must be positive and finite")
    for name, least in at_least.items():
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")

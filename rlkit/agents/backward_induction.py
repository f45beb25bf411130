"""Backward induction, Puterman section 4.5: v_t(s) = max_a r(s, a) + gamma Σ_s' p(s'|s, a) v_{t+1}(s'), with v_H = 0."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlkit.agent import Report
from rlkit.tabular.bellman import greedy, jacobi, near_best
from rlkit.tabular.certificate import rounding_error
from rlkit.tabular.problem import Problem, World, read_model


@dataclass(frozen=True)
class Config:
    """Backward induction."""

    horizon: int = 100  # H, the number of steps that count
    gamma: float = 1.0  # discount


def make(world: World, config: Config, seed: int = 0) -> "BackwardInduction":  # noqa: ARG001 - nothing is random here
    """Build the planner for a world with a model; gamma = 1 is right on any world, as only H steps count."""
    if config.horizon < 1:
        raise ValueError(f"horizon is {config.horizon}; it must be at least 1")
    if not 0.0 <= config.gamma <= 1.0:
        raise ValueError(f"gamma is {config.gamma}; it must lie between 0 and 1")
    return BackwardInduction(
        Problem(read_model(world, config.gamma, True), config.gamma, ergodic=False, rate=config.gamma), config
    )


class BackwardInduction:
    """An agent that knows what to do at each of H steps, one step more with every update, the last step first."""

    def __init__(self, problem: Problem, config: Config) -> None:
        self.problem = problem
        self.config = config
        self.step = 0  # stages solved: the plan is optimal for this many steps to go
        self.stage_values = np.zeros((config.horizon + 1, problem.n_states))  # v_t  [H + 1, S]
        self.stage_policies = np.zeros((config.horizon, problem.n_states), np.int64)  # [H, S]
        self.bound = 0.0  # proven max |v_t - v_t*| over the stages solved; rounding is all there is

    @property
    def v(self) -> NDArray[np.float64]:
        """Values [S] at the first of the stages solved, stage 0 in the end."""
        values: NDArray[np.float64] = self.stage_values[self.config.horizon - self.step]
        return values

    @property
    def policy(self) -> NDArray[np.int64]:
        """What to do [S] at the first of the stages solved; ties go to the lowest action."""
        policy: NDArray[np.int64] = self.stage_policies[min(self.config.horizon - self.step, self.config.horizon - 1)]
        return policy

    @property
    def converged(self) -> bool:
        """Whether all stages are solved."""
        return self.step == self.config.horizon

    def q(self) -> NDArray[np.float64]:
        """Return the action values [S, A] at the first of the stages solved."""
        return self.problem.q(self.stage_values[min(self.config.horizon - self.step + 1, self.config.horizon)])

    def optimal_actions(self) -> NDArray[np.bool_]:
        """Return [S, A]: the actions at the first of the stages solved that cannot be told from the best ones."""
        return near_best(self.q(), self.bound)

    def act(self, obs: Any, *, explore: bool = False) -> Any:  # noqa: ARG002 - a planner has nothing to explore
        """Return the best action for a state, or the actions for an array of states.

        The best action depends on the time, which a bare state does not tell: for it the answer is the one of the first
        stage, with H steps to go. An observation {"obs": state, "time": t}, as Gymnasium's
        `TimeAwareObservation(env, flatten=False)` makes it, gets the answer of stage t; the last one beyond the horizon.
        """
        if not isinstance(obs, Mapping):
            policy = self.policy
            return int(policy[obs]) if np.ndim(obs) == 0 else policy[np.asarray(obs)]
        state = np.asarray(obs["obs"])
        stage = np.minimum(np.reshape(obs["time"], state.shape), self.config.horizon - 1)
        action = self.stage_policies[stage, state]
        return int(action) if np.ndim(action) == 0 else action

    def updates(self, steps: int) -> Iterator[Report]:
        """Solve at most `steps` more stages."""
        for _ in range(min(steps, self.config.horizon - self.step)):
            t = self.config.horizon - self.step - 1
            v_next = self.stage_values[t + 1]
            low, high = jacobi(self.problem.model, v_next, self.stage_values[t])
            greedy(self.problem.model, v_next, self.stage_policies[t], -np.inf)
            self.bound = self.problem.gamma * self.bound + rounding_error(
                self.problem.model, float(np.abs(v_next).max())
            )
            self.step += 1
            yield Report(self.step, {"stage": float(t), "change": max(-low, high), "bound": self.bound})

    def state_dict(self) -> dict[str, Any]:
        """Return the stages solved."""
        return {
            "stage_values": self.stage_values.copy(),
            "stage_policies": self.stage_policies.copy(),
            "bound": self.bound,
            "step": self.step,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the stages of an agent with the same horizon and number of states.

        Raises:
            ValueError: the saved stages have another shape.
        """
        values = np.array(state["stage_values"], np.float64)
        if values.shape != self.stage_values.shape:
            raise ValueError(f"the saved stages have shape {values.shape}, this agent's {self.stage_values.shape}")
        self.stage_values = values
        self.stage_policies = np.array(state["stage_policies"], np.int64)
        self.bound, self.step = float(state["bound"]), int(state["step"])
